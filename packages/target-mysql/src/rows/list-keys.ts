import { type ColumnSchema, convertText, type Engine, type KeyPage, type TableSchema } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { readCatalog } from "../tables/catalog.js";
import { planTable, type PlannedColumn } from "../tables/mysql-table.js";

/** Keys of the rows that the target holds of a source's table, in key order behind `after`, in the source's texts. */
export async function listKeys(
  session: Session,
  namespace: string,
  schema: TableSchema,
  { after, limit }: { readonly after?: readonly string[]; readonly limit: number },
): Promise<KeyPage> {
  const table = (await readCatalog(session, namespace, [schema.name])).get(schema.name);
  if (table === undefined) return { keys: [] };
  const plan = planTable(schema, table, () => undefined);
  if (plan.key.some((column) => (column as PlannedColumn | undefined) === undefined)) return { keys: [] };
  const names = plan.key.map(({ quoted }) => quoted);
  const sources = plan.key.map(({ place }) => schema.columns[place]!);
  const texts = sources.map((column, i) => `${keyText(column, names[i]!)} AS k${i}`).join(", ");
  const behind = after === undefined ? "" : `WHERE ${beyond(plan.key, after)}`;
  const rows = await session.rows(
    `SELECT ${texts} FROM ${plan.table} ${behind} ORDER BY ${names.join(", ")} LIMIT ${limit}`,
  );
  const keys = rows.map((row) =>
    sources.map((column, i) => toSource(schema.engine, column, String(row[`k${i}`]))),
  );
  return keys.length < limit ? { keys } : { keys, next: keys.at(-1)! };
}

/** `a > x OR (a = x AND b > y)`: ranges of the primary key, which a comparison of tuples isn't for the server. */
function beyond(key: readonly PlannedColumn[], after: readonly string[]): string {
  const literals = key.map((column, i) => column.write(after[i]!));
  return key
    .map(({ quoted }, i) => {
      const same = key.slice(0, i).map((column, j) => `${column.quoted} = ${literals[j]}`);
      return `(${[...same, `${quoted} > ${literals[i]}`].join(" AND ")})`;
    })
    .join(" OR ");
}

/** A key's text as a source of this engine prints it. */
function keyText({ kind, length }: ColumnSchema, name: string): string {
  if (kind === "bytes") return `HEX(${name})`;
  if (kind === "bits") return `LPAD(BIN(${name} + 0), ${length ?? 1}, '0')`;
  return `CAST(${name} AS CHAR)`;
}

function toSource(engine: Engine, column: ColumnSchema, text: string): string {
  return convertText("mysql", engine, column, text);
}
