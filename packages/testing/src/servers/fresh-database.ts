import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { eventually } from "../eventually.js";
import { freshRedisDatabase } from "./fresh-redis.js";
import { startMariaDb } from "./mariadb.js";
import { startPostgres } from "./postgres.js";
import { sharedServer } from "./shared-server.js";

/** An empty database of a test's own. */
export interface FreshDatabase {
  readonly url: string;
  /** Removes it; open connections to it are closed. */
  drop(): Promise<void>;
}

/**
 * A new PostgreSQL database in the process's shared server (or in the server of `LOCKSTEP_TEST_POSTGRES_URL`).
 * The server is started on first use and lives as long as the process.
 */
export async function freshPostgres(): Promise<FreshDatabase> {
  const server = await sharedServer("LOCKSTEP_TEST_POSTGRES_URL", startPostgres);
  const name = databaseName();
  await inPostgres(server, `CREATE DATABASE ${name} ${await strategyOf(server)}`);
  return {
    url: withDatabase(server, name),
    drop: () => dropPostgres(server, name),
  };
}

/** A new MariaDB database (utf8mb4) in the process's shared server (or in the server of `LOCKSTEP_TEST_MYSQL_URL`). */
export async function freshMariaDb(): Promise<FreshDatabase> {
  const server = await sharedServer("LOCKSTEP_TEST_MYSQL_URL", startMariaDb);
  const name = databaseName();
  await inMariaDb(server, `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  return {
    url: withDatabase(server, name),
    drop: () => inMariaDb(server, `DROP DATABASE IF EXISTS ${name}`),
  };
}

/**
 * An empty logical database of the process's shared Redis (or of `LOCKSTEP_TEST_REDIS_URL`). Logical databases share
 * channels, scripts and FLUSHALL: a test that needs those alone starts a Redis of its own with `startRedis`.
 */
export async function freshRedis(): Promise<FreshDatabase> {
  return freshRedisDatabase();
}

const strategies = new Map<string, Promise<string>>();

/** Copying files is half the work of writing them into the log, which readers of the log would have to go through, too. Since PostgreSQL 15 it has to be asked for. */
function strategyOf(server: string): Promise<string> {
  const known = strategies.get(server) ?? askStrategy(server);
  strategies.set(server, known);
  return known;
}

async function askStrategy(server: string): Promise<string> {
  const [row] = await inPostgres(server, "SELECT current_setting('server_version_num')::int AS version");
  return Number(row?.["version"]) >= 150_000 ? "STRATEGY FILE_COPY" : "";
}

function databaseName(): string {
  return `db_${randomBytes(6).toString("hex")}`;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function dropPostgres(server: string, name: string): Promise<void> {
  const slots = `pg_replication_slots WHERE database = '${name}'`;
  // A database with a replication slot can't be dropped, and a slot in use can't either until its reader has gone.
  await inPostgres(server, `SELECT pg_terminate_backend(active_pid) FROM ${slots} AND active`);
  await eventually(
    async () => {
      await inPostgres(server, `SELECT pg_drop_replication_slot(slot_name) FROM ${slots}`);
      return true;
    },
    { what: `the replication slots of ${name} to be free` },
  );
  await inPostgres(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function inPostgres(server: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function inMariaDb(server: string, statement: string): Promise<void> {
  const connection = await createConnection(server);
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
