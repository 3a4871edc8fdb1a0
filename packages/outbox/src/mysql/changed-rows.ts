import {
  type ChangedPage,
  type ChangedRows,
  type ChangeMark,
  type ChangePlace,
  type ColumnSchema,
  type RowNote,
  type RunStatement,
  type SurveyedTable,
  type WatchedColumn,
} from "@lockstep/core";
import type { Connection } from "mysql2/promise";
import { cellOf, keyLiteral } from "./cell.js";
import type { MysqlConnection } from "./connections.js";
import { imageOfCells, keysPerStatement, whereKeys } from "./images.js";
import { beyond, keyCells, keyNames, keyOf } from "./key-range.js";
import { quoteName, quoteTable } from "./quote.js";
import { readSession } from "./read-session.js";
import { tableFacts } from "./table-facts.js";
import { shapeReader, type ShapeReader, type TableShape } from "./table-shape.js";
import { openTransactions } from "./open-transactions.js";

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
    ended: ({ ticket }) =>
      asking(async (run) => {
        if (ticket === "") return "unseen";
        if (ticket === "0") return "ended";
        const seen = await openTransactions(run, ticket);
        return seen === undefined ? "unseen" : seen.open ? "open" : "ended";
      }),
    page: (watched, place, limit) => asking((run) => page(run, of(watched), watched, place, limit)),
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
  const shape = await shapes(run, table);
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

/**
 * Never above the highest value that is there: whatever clock and time zone the writers have, later writes are above it. Never above the clock: a single value of the
 * far future would hide all changes until then. The value is read first: a transaction that isn't in the list of those under way began after it.
 */
async function mark(run: RunStatement, watched: WatchedColumn): Promise<ChangeMark> {
  const { schema, column, kind, overlapMs } = watched;
  const changed = schema.columns.find(({ name }) => name === column)!;
  const clock = "UNIX_TIMESTAMP(NOW(6))";
  const values = {
    timestamp: `TIMESTAMPADD(MICROSECOND, -${overlapMs * 1000}, LEAST(m.v, UTC_TIMESTAMP(6)))`,
    number: "m.v",
    "epoch-ms": `CAST(LEAST(m.v, ${clock} * 1000) - ${overlapMs} AS SIGNED)`,
    "epoch-s": `CAST(LEAST(m.v, ${clock}) - ${Math.ceil(overlapMs / 1000)} AS SIGNED)`,
  };
  const [row] =
    await run(`SELECT CAST(${values[kind]} AS CHAR) AS value, CAST(${clock} * 1000 AS SIGNED) AS now
  FROM (SELECT MAX(t.${quoteName(changed.name)}) AS v FROM ${quoteTable(schema)} t) m`);
  const seen = await openTransactions(run);
  return {
    value: row!["value"] === null ? null : String(row!["value"]),
    ticket: seen?.ticket ?? "",
    at: Number(row!["now"]),
  };
}

async function page(
  run: RunStatement,
  { shape, indexes }: Surveyed,
  { column, softDelete }: WatchedColumn,
  place: ChangePlace,
  limit: number,
): Promise<ChangedPage> {
  const changed = columnOf(shape, column);
  const name = `t.${quoteName(column)}`;
  const gone = softDelete === undefined ? "FALSE" : goneOf(columnOf(shape, softDelete));
  const found =
    await run(`SELECT ${shape.cells}, ${cellOf(changed)} AS changed, ${gone} AS gone FROM ${quoteTable(shape.schema)} t
  FORCE INDEX (${quoteName(indexes.get(column)!)}) WHERE ${placed(shape, name, changed, place)}
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
