import { freshPostgres } from "@lockstep/testing";
import type { TargetFixture } from "@lockstep/testing/target-contract";
import { Client } from "pg";
import { postgresTarget } from "../src/index.js";

/** A database of its own for one group of tests. */
export async function openFixture(): Promise<TargetFixture> {
  const database = await freshPostgres();
  const client = new Client({
    connectionString: database.url,
    types: { getTypeParser: () => (text: unknown) => text },
  });
  await client.connect();
  // The test server's role is named like the schema of Lockstep's own tables, which would come first.
  await client.query("set timezone to 'UTC'; set search_path to public");
  return {
    engine: "postgres",
    url: database.url,
    target: postgresTarget,
    run: async (sql) => void (await client.query(sql)),
    read: async (text) => (await client.query<(string | null)[]>({ text, rowMode: "array" })).rows,
    killLanes: async () => {
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lockstep lane %'",
      );
    },
    drop: async () => {
      await client.end();
      await database.drop();
    },
  };
}
