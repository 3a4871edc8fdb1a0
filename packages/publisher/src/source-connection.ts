import type { ConnectionOptions } from "node:tls";
import { type Engine, LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";

/** How a DataSource reaches its primary database: what `pg` and `mysql2` take. */
export interface SourceConnection {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly database?: string;
  readonly ssl?: boolean | ConnectionOptions;
}

/** The parts of TypeORM's options that say where a database is. */
interface Whereabouts {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: SourceConnection["password"];
  readonly database?: string;
  readonly ssl?: SourceConnection["ssl"];
}

const defaultPorts: Readonly<Record<Engine, number>> = { postgres: 5432, mysql: 3306 };

/** The connection of the DataSource's primary; a `replication.master` counts, replicas don't. */
export function sourceConnection(dataSource: DataSource, engine: Engine): SourceConnection {
  const options = dataSource.options as Whereabouts & { replication?: { master: Whereabouts } };
  const own = options.replication?.master ?? options;
  const ssl = own.ssl ?? options.ssl;
  // In TypeORM a URL's parts win over the single options.
  const parts = { ...own, ...(own.url === undefined ? {} : urlParts(own.url)) };
  return {
    host: parts.host ?? "localhost",
    port: parts.port ?? defaultPorts[engine],
    ...(parts.username !== undefined && { user: parts.username }),
    ...(parts.password !== undefined && { password: parts.password }),
    ...(parts.database !== undefined && { database: parts.database }),
    ...(ssl !== undefined && { ssl }),
  };
}

/** The default name of a source. @throws LockstepError CONFIG_INVALID when the DataSource names no database. */
export function sourceName(connection: SourceConnection): string {
  if (connection.database !== undefined) return connection.database;
  throw new LockstepError("CONFIG_INVALID", "the DataSource names no database: give the source a name");
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
