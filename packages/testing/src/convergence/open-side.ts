import { createConnection, type RowDataPacket } from "mysql2/promise";
import pg from "pg";
import type { Side } from "./read-table.js";

/** A side to compare, by its URL; sessions print times in UTC. Close it by disposing. */
export async function openSide(url: string): Promise<Side & AsyncDisposable> {
  return url.startsWith("postgres") ? openPostgres(url) : openMysql(url);
}

async function openPostgres(url: string): Promise<Side & AsyncDisposable> {
  const client = new pg.Client({
    connectionString: url,
    options: "-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c extra_float_digits=1",
  });
  // The statement under way carries the error; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  return {
    engine: "postgres",
    namespace: "public",
    query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function openMysql(url: string): Promise<Side & AsyncDisposable> {
  const connection = await createConnection({
    uri: url.replace(/^mariadb:/, "mysql:"),
    charset: "utf8mb4",
    timezone: "Z",
    dateStrings: true,
  });
  await connection.query("SET time_zone = '+00:00'");
  return {
    engine: "mysql",
    namespace: new URL(url).pathname.slice(1),
    query: async (sql) => (await connection.query<RowDataPacket[]>(sql))[0],
    [Symbol.asyncDispose]: () => connection.end(),
  };
}
