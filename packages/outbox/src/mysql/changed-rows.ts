import {
  type ChangedPage,
  type ChangedRows,
  type ChangePlace,
  type ColumnSchema,
  type RowNote,
  type RunStatement,
  type SurveyedTable,
  type WatchedColumn,
} from "@lockstep/core";
import type { Connection } from "mysql2/promise";
import { cellOf, keyLiteral } from "./cell.js";
import { ended, mark } from "./change-mark.js";
import type { MysqlConnection } from "./connections.js";
import { imageOfCells, keysPerStatement, whereKeys } from "./images.js";
import { beyond, keyCells, keyNames, keyOf } from "./key-range.js";
import { quoteName, quoteTable } from "./quote.js";
import { readSession } from "./read-session.js";
import { tableFacts } from "./table-facts.js";
import { causedBy, shapeReader, type ShapeReader, type TableShape } from "./table-shape.js";

type Key = readonly string[];

/** A table as it was surveyed. */
interface Surveyed {
  readonly shape: TableShape;
  /** Names of indexes by the column that they begin with. */
  readonly indexes: ReadonlyMap<string, string>;
}

/** Rows of MySQL and MariaDB tables that nobody captures. A role that may only read is enough; with PROCESS it sees transactions. */
export function mysqlChangedRows(connection: MysqlConnection): ChangedRows {
  const session = readSession(connection);
  const shapes = shapeReader();
  /** By fingerprint. */
  const tables = new Map<string, Surveyed>();
  const of = ({ schema }: WatchedColumn): Surveyed => tables.get(schema.fingerprint)!;
  const asking = <T>(work: (run: RunStatement) => Promise<T>): Promise<T> =>
    session.use((opened) => work(runOn(opened)));
  return {
    engine: "mysql",
    survey: (table) => asking((run) => survey(run, shapes, tables, table)),
    mark: (watched) => asking((run) => mark(run, watched)),
    ended: (marked) => asking((run) => ended(run, marked)),
    page: (watched, place, bounds) => asking((run) => page(run, of(watched), watched, place, bounds)),
    hasUnmarked: ({ schema, column }) =>
      asking(async (run) => {
        const name = `t.${quoteName(column)}`;
        return (
          (await run(`SELECT 1 AS one FROM ${quoteTable(schema)} t WHERE ${name} IS NULL LIMIT 1`)).length > 0
        );
      }),
    absent: (watched, keys) => asking((run) => absent(run, of(watched).shape, watched, keys)),
    close: () => session.close(),
  };
}

function runOn(connection: Connection): RunStatement {
  return async (sql, parameters = []) => {
    const [rows] = await connection.query({ sql, values: [...parameters], rowsAsArray: false });
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };
}

async function survey(
  run: RunStatement,
  shapes: ShapeReader,
  tables: Map<string, Surveyed>,
  table: RowNote["table"],
): Promise<SurveyedTable | undefined> {
  const shape = await shapes(run, table).catch(unlessDenied);
  if (shape === undefined) return undefined;
  const rows = await run(
    `SELECT column_name AS name, index_name AS index_name FROM information_schema.statistics
  WHERE table_schema = ? AND table_name = ? AND seq_in_index = 1 AND index_type = 'BTREE' ORDER BY index_name = 'PRIMARY'`,
    [table.namespace, table.name],
  );
  const indexes = new Map(rows.map((row) => [String(row["name"]), String(row["index_name"])]));
  tables.set(shape.schema.fingerprint, { shape, indexes });
  const { parents, estimatedRows } = await tableFacts(run, table);
  return {
    schema: shape.schema,
    indexed: [...indexes.keys()],
    parents,
    ...(estimatedRows !== undefined && { estimatedRows }),
  };
}

const denied = [1044, 1142, 1143];

/** A table that the role may not read is none to it. */
function unlessDenied(error: unknown): undefined {
  if (!denied.some((errno) => causedBy(error, errno))) throw error;
}

async function page(
  run: RunStatement,
  { shape, indexes }: Surveyed,
  { column, softDelete }: WatchedColumn,
  place: ChangePlace,
  { through, limit }: Parameters<ChangedRows["page"]>[2],
): Promise<ChangedPage> {
  const changed = columnOf(shape, column);
  const name = `t.${quoteName(column)}`;
  const gone = softDelete === undefined ? "FALSE" : goneOf(columnOf(shape, softDelete));
  const upTo = through === undefined ? "" : ` AND ${name} <= ${keyLiteral(changed, through)}`;
  const found =
    await run(`SELECT ${shape.cells}, ${cellOf(changed)} AS changed, ${gone} AS gone FROM ${quoteTable(shape.schema)} t
  FORCE INDEX (${quoteName(indexes.get(column)!)}) WHERE ${placed(shape, name, changed, place)}${upTo}
  ORDER BY ${[name, ...keyNames(shape)].join(", ")} LIMIT ${limit}`);
  const rows = found.map((row) => {
    const [key, image] = imageOfCells(shape, row);
    return { key, image: Number(row["gone"]) === 1 ? null : image };
  });
  const last = found.at(-1);
  return {
    rows,
    ...(last && { last: { value: String(last["changed"]), key: JSON.parse(rows.at(-1)!.key) as Key } }),
  };
}

function columnOf({ schema }: TableShape, name: string): ColumnSchema {
  return schema.columns.find((column) => column.name === name)!;
}

function placed(shape: TableShape, name: string, column: ColumnSchema, place: ChangePlace): string {
  switch (place.at) {
    case "start":
      return `${name} IS NOT NULL`;
    case "from":
      return `${name} >= ${keyLiteral(column, place.value)}`;
    case "behind":
      return `${name} > ${keyLiteral(column, place.value)}`;
    case "group":
      return `${name} = ${keyLiteral(column, place.value)} AND (${beyond(shape, place.key, ">")})`;
  }
}

function goneOf({ name, kind }: ColumnSchema): string {
  const value = `t.${quoteName(name)}`;
  const isFlag = kind === "boolean" || kind === "integer" || kind === "numeric";
  return isFlag ? `(COALESCE(${value}, 0) <> 0)` : `(${value} IS NOT NULL)`;
}

async function absent(
  run: RunStatement,
  shape: TableShape,
  { softDelete }: WatchedColumn,
  keys: readonly Key[],
): Promise<readonly Key[]> {
  const isHere = softDelete === undefined ? "" : ` AND NOT ${goneOf(columnOf(shape, softDelete))}`;
  const gone: Key[] = [];
  for (let i = 0; i < keys.length; i += keysPerStatement) {
    const some = keys.slice(i, i + keysPerStatement);
    const where = whereKeys(
      shape,
      some.map((key) => ({ key })),
    );
    const found = await run(
      `SELECT ${keyCells(shape)} FROM ${quoteTable(shape.schema)} t FORCE INDEX (PRIMARY) WHERE (${where})${isHere}`,
    );
    const here = new Set(found.map((row) => JSON.stringify(keyOf(shape, row))));
    gone.push(...some.filter((key) => !here.has(JSON.stringify(key))));
  }
  return gone;
}
