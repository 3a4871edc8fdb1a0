import { setTimeout as pause } from "node:timers/promises";
import {
  type BulkReader,
  type KeyRange,
  LockstepError,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import type { Connection, RowDataPacket } from "mysql2/promise";
import {
  connectionsTo,
  endSoon,
  lockstepErrorOf,
  type MysqlConnection,
  unavailable,
} from "../connections.js";
import { keyCells, keyNames, keyOf, rangeOf } from "../key-range.js";
import { quoteTable } from "../quote.js";
import { shapeReader, type TableShape } from "../table-shape.js";
import { lineOf } from "./line.js";
import { linePieces, type RowConnection } from "./line-pieces.js";

/** READ COMMITTED: a statement sees what is committed when it begins. CHAR comes without its padding. */
const settings = `SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
SET SESSION time_zone = '+00:00', sql_mode = ''`;

/** Settled is looked for so often. */
const lookMs = 20;

/** Reads the rows of a MySQL or MariaDB source as lines that the server makes of them. */
export function mysqlBulkReader(connection: MysqlConnection): BulkReader {
  const connections = connectionsTo(connection);
  const shapes = shapeReader();
  const idle: Connection[] = [];
  const lend = async (): Promise<Connection> => {
    const known = idle.pop();
    if (known !== undefined) return known;
    const opened = await connections.open();
    await opened.query(settings);
    return opened;
  };
  const use = <T>(work: (run: RunStatement) => Promise<T>): Promise<T> =>
    unavailable(async () => {
      const lent = await lend();
      try {
        const result = await work(runOn(lent));
        idle.push(lent);
        return result;
      } catch (error) {
        lent.destroy();
        throw error;
      }
    });
  const shapeOf = async (run: RunStatement, table: RowNote["table"]): Promise<TableShape> => {
    const shape = await shapes(run, table);
    if (shape !== undefined) return shape;
    throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(table)} does not exist`);
  };
  return {
    settle: (timeoutMs) => use((run) => settled(run, timeoutMs)),
    cut: (table, range, rows) =>
      use(async (run) => {
        const shape = await shapeOf(run, table);
        const [row] = await run(
          `SELECT ${keyCells(shape)} FROM ${within(shape, range)} LIMIT ${rows - 1}, 1`,
        );
        const key = row && keyOf(shape, row);
        return key === undefined || JSON.stringify(key) === JSON.stringify(range.through) ? undefined : key;
      }),
    async *read(schema, range) {
      const lent = await unavailable(lend);
      let isWhole = false;
      try {
        const run = runOn(lent);
        // Used in a transaction, the table can't be altered until its end: what is read is what was agreed on.
        await run("START TRANSACTION");
        await run(`SELECT 1 FROM ${quoteTable(schema)} LIMIT 1`);
        const shape = await shapeOf(run, schema);
        if (shape.schema.fingerprint !== schema.fingerprint) {
          const details = { details: { table: tableId(schema) } };
          throw new LockstepError("TABLE_CHANGED", `${tableId(schema)} was altered`, details);
        }
        const driver = (lent as unknown as { readonly connection: RowConnection }).connection;
        yield* linePieces(driver, `SELECT ${lineOf(shape)} FROM ${within(shape, range)}`);
        await run("COMMIT");
        isWhole = true;
      } catch (error) {
        throw lockstepErrorOf(error);
      } finally {
        // Left in the middle, or failed: what it would still send is nobody's.
        if (isWhole) idle.push(lent);
        else lent.destroy();
      }
    },
    async close() {
      await Promise.all(idle.splice(0).map(endSoon));
      await connections.close();
    },
  };
}

/** The rows of a range, in the order of their keys. */
function within(shape: TableShape, { after, through }: KeyRange): string {
  return `${quoteTable(shape.schema)} t FORCE INDEX (PRIMARY) WHERE ${rangeOf(shape, after, through)}
  ORDER BY ${keyNames(shape).join(", ")}`;
}

function runOn(connection: Connection): RunStatement {
  return async (sql) => {
    const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: false });
    return Array.isArray(rows) ? rows : [];
  };
}

/**
 * A transaction is in the binlog a moment before others see its rows. MariaDB says at which place of it a consistent snapshot was taken: one at or behind
 * where the log ended, and so does everything later, sees all that is in it. MySQL doesn't say so.
 */
async function settled(run: RunStatement, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  const [end] = await run("SHOW MASTER STATUS").catch(() => []);
  if (end === undefined) return false;
  for (;;) {
    await run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    const rows = await run("SHOW STATUS LIKE 'binlog_snapshot_%'");
    await run("COMMIT");
    const at = new Map(rows.map((row) => [String(row["Variable_name"]).toLowerCase(), String(row["Value"])]));
    const file = at.get("binlog_snapshot_file");
    if (file === undefined || file === "") return false;
    const place = Number(at.get("binlog_snapshot_position"));
    if (file > String(end["File"]) || (file === end["File"] && place >= Number(end["Position"]))) return true;
    if (performance.now() > until) return false;
    await pause(lookMs);
  }
}
