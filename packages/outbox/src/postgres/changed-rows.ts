import type {
  ChangedPage,
  ChangedRows,
  ChangePlace,
  ReadRow,
  RowNote,
  SurveyedTable,
  TableSchema,
  WatchedColumn,
} from "@lockstep/core";
import { fingerprintOf } from "@lockstep/core";
import { ended, mark, noNumber } from "./change-mark.js";
import type { PostgresConnection } from "./connections.js";
import { nameOf } from "./flush-call.js";
import { quoteName, quoteText } from "./quote.js";
import { postgresRows, type ReadStatement } from "./reader.js";
import { definitionOf, shapeParts } from "./shape-function.js";
import { type TableDefinition, tableSchemaOf } from "./table-definition.js";

type Key = readonly string[];

/** What a table's rows are read by: texts of its columns, and of its key's. */
interface Shape {
  readonly cells: string;
  readonly keyCells: string;
}

/** Rows of PostgreSQL tables that nobody captures. A role that may only read is enough. */
export function postgresChangedRows(connection: PostgresConnection, source: string): ChangedRows {
  // Operators of the keys' types are found as the role finds them; everything else is PostgreSQL's own, which comes first.
  const { rows, close } = postgresRows(
    connection,
    `lockstep incremental ${source}`,
    "set enable_seqscan = on",
  );
  const shapes = new Map<string, Shape>(); // by fingerprint, of what was surveyed
  return {
    engine: "postgres",
    survey: (table) => survey(rows, table, shapes),
    mark: (watched) => mark(rows, watched),
    ended: (marked) => ended(rows, marked),
    page: (watched, place, bounds) =>
      page(rows, shapes.get(watched.schema.fingerprint)!, watched, place, bounds),
    hasUnmarked: async ({ schema, column }) =>
      (
        await rows(
          `select from ${nameOf(schema)} t where t.${quoteName(column)} is null or ${noNumber(schema, column)} limit 1`,
        )
      ).length > 0,
    absent: (watched, keys) => absent(rows, watched, keys),
    close,
  };
}

async function describe(
  rows: ReadStatement,
  table: RowNote["table"],
  shapes: Map<string, Shape>,
): Promise<TableSchema | undefined> {
  const rel = `to_regclass(${quoteText(nameOf(table))})`;
  const definition = `${shapeParts(rel)}
select (select string_agg(cell, ', ' order by attnum) from based), (select string_agg(cell, ', ' order by n) from keyed), ${definitionOf(rel)}::text
 where exists (select from pg_class c where c.oid = ${rel} and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select'))`;
  // Types are named as in every other schema of the outbox.
  await rows("set search_path = pg_catalog, pg_temp");
  const [row] = await rows(definition).finally(() => rows("reset search_path"));
  if (row === undefined) return undefined;
  const { fingerprint: _, ...schema } = tableSchemaOf("", JSON.parse(row[2]!) as TableDefinition);
  const fingerprint = fingerprintOf(schema);
  shapes.set(fingerprint, { cells: row[0]!, keyCells: row[1] ?? "" });
  return { ...schema, fingerprint };
}

async function survey(
  rows: ReadStatement,
  table: RowNote["table"],
  shapes: Map<string, Shape>,
): Promise<SurveyedTable | undefined> {
  const schema = await describe(rows, table, shapes);
  if (schema === undefined) return undefined;
  const rel = `to_regclass(${quoteText(nameOf(table))})`;
  const [row] = await rows(`select
  (select coalesce(json_agg(distinct a.attname), '[]')::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
    where i.indrelid = ${rel} and i.indisvalid and i.indpred is null and m.amname = 'btree'),
  (select coalesce(json_agg(distinct n.nspname || '.' || p.relname), '[]')::text from pg_constraint f join pg_class p on p.oid = f.confrelid
    join pg_namespace n on n.oid = p.relnamespace where f.contype = 'f' and f.conrelid = ${rel} and f.confrelid <> f.conrelid),
  (select c.reltuples::bigint::text from pg_class c where c.oid = ${rel})`);
  const estimatedRows = Number(row?.[2] ?? -1);
  return {
    schema,
    indexed: JSON.parse(row![0]!) as string[],
    parents: JSON.parse(row![1]!) as string[],
    ...(estimatedRows >= 0 && { estimatedRows }),
  };
}

async function page(
  rows: ReadStatement,
  { cells, keyCells }: Shape,
  { schema, column, softDelete }: WatchedColumn,
  place: ChangePlace,
  { through, limit }: Parameters<ChangedRows["page"]>[2],
): Promise<ChangedPage> {
  const name = `t.${quoteName(column)}`;
  const key = schema.key.map((part) => `t.${quoteName(part)}`).join(", ");
  const gone = softDelete === undefined ? "false" : goneOf(schema, softDelete);
  const upTo = through === undefined ? "" : ` and ${name} <= ${literal(schema, column, through)}`;
  const found =
    await rows(`select array_to_json(array[${keyCells}])::text, case when not (${gone}) then array_to_json(array[${cells}])::text end, ${name}::text
  from ${nameOf(schema)} t where ${placed(schema, name, key, column, place)}${upTo} order by ${name}, ${key} limit ${limit}`);
  const last = found.at(-1);
  return {
    rows: found.map(([key, image]): ReadRow => ({ key: key!, image: image! })),
    ...(last && { last: { value: last[2]!, key: JSON.parse(last[0]!) as Key } }),
  };
}

function placed(schema: TableSchema, name: string, key: string, column: string, place: ChangePlace): string {
  switch (place.at) {
    case "start":
      return `${name} is not null`;
    case "from":
      return `${name} >= ${literal(schema, column, place.value)}`;
    case "behind":
      return `${name} > ${literal(schema, column, place.value)}`;
    case "group":
      return `${name} = ${literal(schema, column, place.value)} and (${key}) > (${keyLiterals(schema, place.key)})`;
  }
}

function goneOf(schema: TableSchema, column: string): string {
  const name = `t.${quoteName(column)}`;
  const kind = schema.columns.find((one) => one.name === column)?.kind;
  if (kind === "boolean") return `${name} is true`;
  return kind === "integer" || kind === "numeric" ? `coalesce(${name}, 0) <> 0` : `${name} is not null`;
}

function keyLiterals(schema: TableSchema, key: Key): string {
  return schema.key.map((name, i) => literal(schema, name, key[i]!)).join(", ");
}

function literal({ columns }: TableSchema, name: string, text: string): string {
  return `${quoteText(text)}::${columns.find((column) => column.name === name)!.type}`;
}

async function absent(
  rows: ReadStatement,
  { schema, softDelete }: WatchedColumn,
  keys: readonly Key[],
): Promise<readonly Key[]> {
  if (keys.length === 0) return [];
  const names = schema.key.map((name, i) => `t.${quoteName(name)} = k.k${i}`).join(" and ");
  const given = keys.map((key, n) => `(${n}, ${keyLiterals(schema, key)})`).join(", ");
  const isHere = softDelete === undefined ? "true" : `not (${goneOf(schema, softDelete)})`;
  const found =
    await rows(`select k.n::text from (values ${given}) k(n, ${schema.key.map((_, i) => `k${i}`).join(", ")})
  where not exists (select from ${nameOf(schema)} t where ${names} and ${isHere}) order by k.n`);
  return found.map(([n]) => keys[Number(n)]!);
}
