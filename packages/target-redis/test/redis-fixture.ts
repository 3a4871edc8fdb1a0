import { sinkTarget } from "@lockstep/core";
import { postgresTarget } from "@lockstep/target-postgres";
import { freshPostgres, freshRedis } from "@lockstep/testing";
import type { TargetFixture } from "@lockstep/testing/target-contract";
import { Redis } from "ioredis";
import { Client } from "pg";
import { redisSink } from "../src/index.js";

/** A Redis database and a PostgreSQL one for the state. */
export async function openFixture(): Promise<TargetFixture> {
  const [state, redis] = [await freshPostgres(), await freshRedis()];
  const client = new Client({ connectionString: state.url });
  await client.connect();
  const reader = new Redis(redis.url);
  const unused = () => Promise.reject(new Error("Redis has no SQL"));
  return {
    engine: "postgres",
    url: redis.url,
    target: ({ name, url }) =>
      sinkTarget({ name, sink: redisSink({ name, url }), state: postgresTarget({ name, url: state.url }) }),
    run: unused,
    read: unused,
    async rows({ name, columns }) {
      const keys = (await reader.keys(`${name}:*`)).filter((key) => !key.endsWith(":lockstep"));
      const hashes = await Promise.all(keys.map((key) => reader.hgetall(key)));
      return hashes.map((hash) => columns.map((column) => hash[column.name] ?? null));
    },
    killLanes: async () => {
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lockstep lane %'",
      );
    },
    drop: async () => {
      reader.disconnect();
      await client.end();
      await redis.drop();
      await state.drop();
    },
  };
}
