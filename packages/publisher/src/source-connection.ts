import { type Logger, LockstepError } from "@lockstep/core";
import type { MysqlConnection, PostgresConnection } from "@lockstep/outbox";
import type { DataSource } from "typeorm";
import type { CaptureSource } from "./capture/source-capture.js";
import { sourceOfUrl } from "./capture/source-of-url.js";
import { engineOf } from "./outbox-writer-for.js";

/** The parts of TypeORM's options that say where a database is. */
interface Whereabouts {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly database?: string;
  readonly socketPath?: string;
  readonly ssl?: unknown;
  readonly extra?: { readonly ssl?: unknown };
}

/** The source behind a DataSource, over connections of its own: never the application's pool (PROTOCOL.md 35). `url` names another way to it. */
export function captureSource(
  dataSource: DataSource,
  {
    url,
    ...about
  }: Pick<CaptureSource, "name" | "outbox" | "foreignKeyActions" | "wal"> & {
    readonly logger: Logger;
    readonly url: string | undefined;
  },
): CaptureSource {
  if (url !== undefined) return sourceOfUrl(url, about);
  return engineOf(dataSource) === "postgres"
    ? { ...about, engine: "postgres", connection: postgresSource(dataSource) }
    : { ...about, engine: "mysql", connection: mysqlSource(dataSource) };
}

/** The primary of a DataSource on PostgreSQL, as `pg` takes it. `replication.master` counts, replicas don't. */
function postgresSource(dataSource: DataSource): Exclude<PostgresConnection, string> {
  const { host, port, username, password, database, ssl } = primaryOf(dataSource);
  return {
    host: host ?? "localhost",
    port: port ?? 5432,
    ...(username !== undefined && { user: username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(ssl !== undefined && { ssl: ssl as Exclude<Exclude<PostgresConnection, string>["ssl"], undefined> }),
  };
}

/** The primary of a DataSource on MySQL or MariaDB, as `mysql2` takes it. */
function mysqlSource(dataSource: DataSource): Exclude<MysqlConnection, string> {
  const { host, port, username, password, database, socketPath, ssl } = primaryOf(dataSource);
  return {
    host: host ?? "localhost",
    port: port ?? 3306,
    ...(username !== undefined && { user: username }),
    ...(typeof password === "string" && { password }),
    ...(database !== undefined && { database }),
    ...(socketPath !== undefined && { socketPath }),
    ...(ssl !== undefined && { ssl: ssl as Exclude<Exclude<MysqlConnection, string>["ssl"], undefined> }),
  };
}

/** The default name of a source: its database's. @throws LockstepError CONFIG_INVALID when the DataSource names none. */
export function sourceName(dataSource: DataSource): string {
  const { database } = primaryOf(dataSource);
  if (database !== undefined) return database;
  throw new LockstepError("CONFIG_INVALID", "the DataSource names no database: give the source a name");
}

function primaryOf(dataSource: DataSource): Whereabouts {
  const options = dataSource.options as Whereabouts & {
    readonly replication?: { readonly master: Whereabouts };
  };
  const own = options.replication?.master ?? options;
  // In TypeORM a URL's parts win over the single options.
  const parts = { ...own, ...(own.url === undefined ? {} : urlParts(own.url)) };
  return { ...parts, ssl: own.ssl ?? options.ssl ?? options.extra?.ssl };
}

function urlParts(url: string): Whereabouts {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    ...(hostname !== "" && { host: decodeURIComponent(hostname) }),
    ...(port !== "" && { port: Number(port) }),
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(pathname.length > 1 && { database: decodeURIComponent(pathname.slice(1)) }),
  };
}
