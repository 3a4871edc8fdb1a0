import { isLockstepError, LockstepError } from "@lockstep/core";
import type pg from "pg";
import { inTime } from "../in-time.js";
import { queryClient } from "./query-client.js";

/** How to reach the source: a URL or the options of `pg`. */
export type PostgresConnection = string | pg.ClientConfig;

/** Connections of the relay's own, never the application's pool (PROTOCOL.md 35). */
export interface Connections {
  /** Lends a connection for one piece of work. */
  use<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  /** Opens a connection that the caller closes. */
  open(): Promise<pg.Client>;
  /** Opens one that speaks the replication protocol of its database (and plain statements); the caller closes it. */
  openReplication(): Promise<pg.Client>;
  close(): Promise<void>;
}

// Values stay the texts the server sent: 64-bit ids and images must not pass through JavaScript numbers or Dates.
const types = { getTypeParser: () => (value: string) => value };

/**
 * Plans of the relay must stay on the outbox's key, and the lag's clock in one form. A relay whose machine is gone must not hold locks: the server asks after
 * 10 s of silence and gives up after 25; one that has stopped in the middle of a transaction is ended, and no lock is waited for without an end.
 */
const sessionSettings = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
set idle_in_transaction_session_timeout = '30s'; set lock_timeout = '10s';
set enable_seqscan = off; set jit = off; set synchronous_commit = on; set timezone = 'UTC'`;

const maxConnections = 8;
const connectTimeoutMs = 10_000;
// A connection that was cut without a word answers nothing; this ends the wait.
const queryTimeoutMs = 120_000;

/** Connections to `connection`; none is made before the first use. */
export function connectionsTo(connection: PostgresConnection, name: string): Connections {
  const config: pg.ClientConfig = {
    ...(typeof connection === "string" ? { connectionString: connection } : connection),
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeoutMs,
    types: types as unknown as pg.CustomTypesConfig,
  };
  const connect = (settings: pg.ClientConfig, timeoutMs: number): Promise<pg.Client> =>
    unavailable(async () => {
      const client = new (queryClient(await driver(), timeoutMs))(settings);
      client.on("error", () => undefined);
      await client.connect();
      try {
        await client.query(sessionSettings);
        return client;
      } catch (error) {
        await endSoon(client);
        throw error;
      }
    });
  // pg passes it on to the server; its types don't know it.
  const replicating: pg.ClientConfig & { readonly replication: string } = {
    ...config,
    replication: "database",
  };
  let pool: Promise<pg.Pool> | undefined;
  let ended: Promise<void> | undefined;
  return {
    use: (work) => unavailable(async () => lend(await (pool ??= openPool(config)), work)),
    open: () => connect(config, queryTimeoutMs),
    // Sending the log is a query that never ends.
    openReplication: () => connect(replicating, 0),
    // Also when none was opened: what is asked after the end must be refused.
    close: () => (ended ??= (async () => (await (pool ??= openPool(config))).end())()),
  };
}

async function openPool(config: pg.ClientConfig): Promise<pg.Pool> {
  const pg = await driver();
  const Client = queryClient(pg, queryTimeoutMs) as new () => pg.ClientBase;
  const pool = new pg.Pool({ ...config, max: maxConnections, allowExitOnIdle: true, Client });
  // A connection that dies, idle or at work, is replaced on the next use; without listeners the process would end.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** Loaded when it is needed: a process whose source is of the other engine doesn't hold it in memory. */
async function driver(): Promise<typeof pg> {
  return (await import("pg")).default;
}

const prepared = new WeakSet<pg.ClientBase>();

async function lend<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failed = true;
  try {
    if (!prepared.has(client)) {
      await client.query(sessionSettings);
      prepared.add(client);
    }
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    // After an error the connection may be inside a failed transaction: it is thrown away.
    client.release(failed);
  }
}

const endTimeoutMs = 1_000;

/** Ends a connection. One to a host that is gone never hears the farewell: it is not waited for, and keeps no process alive. */
export async function endSoon(client: pg.Client): Promise<void> {
  try {
    await inTime(client.end(), endTimeoutMs);
  } catch {
    (client as pg.Client & { unref(): void }).unref();
  }
}

/** Turns what the driver throws into Lockstep's errors. */
export async function unavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw lockstepErrorOf(error);
  }
}

const missing = new Set(["42P01", "42883", "3F000"]);
// Connection trouble, insufficient resources, operator intervention, read-only (a standby after a switch), time-outs of locks and of idle transactions.
const unreachable = /^(08|53|57|25006|25P03|55P03|3D000|28)/;
const networkError = /^E[A-Z]+$/;

/** Lockstep's error for what the driver or the server says. */
export function lockstepErrorOf(error: unknown): unknown {
  if (isLockstepError(error) || !(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  if (missing.has(code))
    return new LockstepError("OUTBOX_MISSING", "the source has no outbox", { cause: error });
  const lost = /terminated|timeout|connection|not queryable/i.test(error.message) && !("severity" in error);
  if (unreachable.test(code) || networkError.test(code) || lost) {
    return new LockstepError("SOURCE_UNAVAILABLE", "the source database can't be reached", { cause: error });
  }
  return error;
}
