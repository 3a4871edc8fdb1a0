import { freshMariaDb } from "@lockstep/testing";
import type { TargetFixture } from "@lockstep/testing/target-contract";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { mysqlTarget } from "../src/index.js";
import { lockName } from "../src/lock-name.js";

/** An empty database with the collation that Lockstep asks for. */
export async function openMysqlFixture(): Promise<TargetFixture> {
  const database = await freshMariaDb();
  const name = new URL(database.url).pathname.slice(1);
  const connection = await createConnection({
    uri: database.url,
    multipleStatements: true,
    rowsAsArray: true,
    typeCast: (field) => field.string(),
  });
  await connection.query(
    `SET time_zone = '+00:00'; ALTER DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`,
  );
  return {
    engine: "mysql",
    url: database.url,
    target: mysqlTarget,
    run: async (sql) => void (await connection.query(sql)),
    read: (sql) => read(connection, sql),
    killLanes: () => killLanes(connection, name),
    drop: async () => {
      await connection.end();
      await database.drop();
    },
  };
}

type Texts = readonly (readonly (string | null)[])[];

async function read(connection: Connection, sql: string): Promise<Texts> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows as unknown as Texts;
}

async function killLanes(connection: Connection, database: string): Promise<void> {
  for (const [source, part] of await read(connection, "SELECT source, part FROM lockstep_checkpoint")) {
    const name = lockName("lane", database, source!, part!);
    const [owner] = await read(connection, `SELECT IS_USED_LOCK('${name}')`);
    if (owner?.[0]) await connection.query(`KILL ${owner[0]}`);
  }
}
