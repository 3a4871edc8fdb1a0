import type { RunningServer } from "@lockstep/testing";
import pg from "pg";

/** Makes a database. */
export async function database(server: RunningServer, name: string): Promise<string> {
  await using admin = await connect(server.url);
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** Connects; disposing ends it. */
export async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
