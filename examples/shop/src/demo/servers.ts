import { type RunningServer, startMariaDb, startPostgres, startRedis } from "@lockstep/testing";
import pg from "pg";

/** The servers of the demo; disposing stops them and removes their data. */
export interface DemoServers extends AsyncDisposable {
  readonly source: string;
  readonly targets: { readonly reporting: string; readonly warehouse: string };
  readonly redis: string;
  /** The server of that target. */
  readonly reporting: Pick<RunningServer, "kill" | "start">;
}

/** A PostgreSQL as the source, a second PostgreSQL and a MariaDB as targets, Redis: all throw-away, on this machine. */
export async function startServers(say: (line: string) => void): Promise<DemoServers> {
  say("starting a source PostgreSQL, a target PostgreSQL, a target MariaDB and Redis");
  const servers = await Promise.all([startPostgres(), startPostgres(), startMariaDb(), startRedis()]);
  const [source, reporting, warehouse, redis] = servers;
  return {
    source: await postgresDatabase(source, "shop"),
    targets: {
      reporting: await postgresDatabase(reporting, "reporting"),
      warehouse: await mariaDbDatabase(warehouse, "warehouse"),
    },
    redis: redis.url,
    reporting,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** Makes a database; its URL. */
export async function postgresDatabase(server: RunningServer, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return withDatabase(server.url, name);
}

/** Makes a database; its URL. */
export async function mariaDbDatabase(server: RunningServer, name: string): Promise<string> {
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection(server.url);
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await connection.end();
  return withDatabase(server.url, name);
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
