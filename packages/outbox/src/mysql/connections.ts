import type { EventEmitter } from "node:events";
import { isLockstepError, LockstepError, type RunStatement } from "@lockstep/core";
import type mysql from "mysql2/promise";
import { inTime } from "../in-time.js";

/** How to reach the source: a URL or the options of `mysql2`. */
export type MysqlConnection = string | mysql.ConnectionOptions;

/** Connections of the relay's own, never the application's pool (PROTOCOL.md 35). */
export interface Connections {
  /** Lends a connection for one piece of work. */
  use<T>(work: (session: MysqlSession) => Promise<T>): Promise<T>;
  /** Opens a connection that the caller closes. */
  open(): Promise<mysql.Connection>;
  close(): Promise<void>;
}

/** One connection: rows are arrays of what the driver gives with 64-bit numbers and times as texts. */
export interface MysqlSession {
  rows(sql: string): Promise<(string | number | null)[][]>;
  /** Several statements in one round trip; rows of each, none for a statement that gives none. */
  batch(sql: string): Promise<(string | number | null)[][][]>;
  /** The rows of one statement one by one, never all of them in memory. */
  each(sql: string, onRow: (row: (string | number | null)[]) => void): Promise<void>;
  /** Number of rows changed. */
  change(sql: string): Promise<number>;
  /** Rows as objects: what the writer's side of the outbox works with. */
  readonly run: RunStatement;
}

const maxConnections = 8;
const connectTimeoutMs = 10_000;
// A connection that was cut without a word answers nothing; this ends the wait.
const timeout = 120_000;

/**
 * READ COMMITTED: each statement sees what is committed when it begins, and marking rows locks no gaps. Times in UTC; a lock
 * held by another relay is not waited for longer than this. What a relay holds whose machine is gone is free after two minutes of silence.
 */
const sessionSettings = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 10, wait_timeout = 120, sql_mode = ''`;

/** Connections to `connection`; none is made before the first use. */
export function connectionsTo(connection: MysqlConnection): Connections {
  const config: mysql.ConnectionOptions = {
    ...(typeof connection === "string" ? { uri: connection } : connection),
    charset: "utf8mb4",
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    rowsAsArray: true,
    multipleStatements: true,
    connectTimeout: connectTimeoutMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
  };
  let pool: Promise<mysql.Pool> | undefined;
  let ended: Promise<void> | undefined;
  const openPool = async (): Promise<mysql.Pool> =>
    (await driver()).createPool({ ...config, connectionLimit: maxConnections, idleTimeout: 60_000 });
  return {
    use: (work) => unavailable(async () => lend(await (pool ??= openPool()), work)),
    open: () =>
      unavailable(async () => {
        const opened = await (await driver()).createConnection(config);
        // Without a listener a connection that the server ends would end the process.
        opened.on("error", () => undefined);
        try {
          await opened.query(sessionSettings);
          return opened;
        } catch (error) {
          opened.destroy();
          throw error;
        }
      }),
    // Also when none was opened: what is asked after the end must be refused.
    close: () => (ended ??= (async () => (await (pool ??= openPool())).end())()),
  };
}

const endTimeoutMs = 1_000;

/** Ends a connection. One to a host that is gone never hears the farewell: it is not waited for. */
export async function endSoon(connection: mysql.Connection): Promise<void> {
  await inTime(connection.end(), endTimeoutMs).catch(() => undefined);
  connection.destroy();
}

/** Loaded when it is needed: a process whose source is of the other engine doesn't hold it in memory. */
async function driver(): Promise<typeof mysql> {
  return (await import("mysql2/promise")).default;
}

const prepared = new WeakSet<object>();

async function lend<T>(pool: mysql.Pool, work: (session: MysqlSession) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    if (!prepared.has(connection.connection)) {
      await connection.query(sessionSettings);
      prepared.add(connection.connection);
    }
    const result = await work(sessionOf(connection));
    connection.release();
    return result;
  } catch (error) {
    // It may be inside a failed transaction: it is thrown away.
    connection.destroy();
    throw error;
  }
}

function sessionOf(connection: mysql.PoolConnection): MysqlSession {
  return {
    rows: async (sql) => rowsOf((await connection.query({ sql, timeout }))[0]),
    batch: async (sql) => {
      const [results] = await connection.query({ sql, timeout });
      return (results as unknown[]).map(rowsOf);
    },
    each: (sql, onRow) =>
      new Promise((resolve, reject) => {
        const driver = connection.connection as unknown as CallbackConnection;
        const query = driver.query({ sql, timeout });
        query.on("result", onRow);
        query.on("error", reject);
        // A connection that breaks tells only itself, not the statement under way.
        const broken = (error?: Error) => reject(error ?? new Error("Connection terminated"));
        driver.once("error", broken).once("end", broken);
        query.on("end", () => {
          driver.off("error", broken).off("end", broken);
          resolve();
        });
      }),
    change: async (sql) =>
      ((await connection.query({ sql, timeout }))[0] as mysql.ResultSetHeader).affectedRows,
    run: async (sql, parameters) => {
      const values = parameters ? [...parameters] : [];
      const [rows] = await connection.query({ sql, timeout, values, rowsAsArray: false });
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
  };
}

/** The driver's own connection under the promises: the one that gives rows as they come. */
interface CallbackConnection extends EventEmitter {
  query(options: { readonly sql: string; readonly timeout: number }): EventEmitter;
}

function rowsOf(result: unknown): (string | number | null)[][] {
  return Array.isArray(result) ? (result as (string | number | null)[][]) : [];
}

/** Turns what the driver throws into Lockstep's errors. */
export async function unavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw lockstepErrorOf(error);
  }
}

const noSuchTable = 1146;
// Too many connections, shutdown, disk full, read-only, access denied, unknown database, connection killed or lost, a lock that stays taken.
const unreachable = new Set([
  1205, 1040, 1044, 1045, 1049, 1053, 1021, 1114, 1203, 1226, 1290, 1792, 1836, 1927, 2006, 2013, 4031,
]);

export function lockstepErrorOf(error: unknown): unknown {
  if (isLockstepError(error) || !(error instanceof Error)) return error;
  const errno = "errno" in error ? Number(error.errno) : 0;
  const code = "code" in error ? String(error.code) : "";
  if (errno === noSuchTable)
    return new LockstepError("OUTBOX_MISSING", "the source has no outbox", { cause: error });
  const lost = /^(E[A-Z]+|PROTOCOL_.*)$/.test(code) && !code.startsWith("ER_");
  if (lost || unreachable.has(errno) || /closed state|Pool is closed/i.test(error.message)) {
    return new LockstepError("SOURCE_UNAVAILABLE", "the source database can't be reached", { cause: error });
  }
  return error;
}
