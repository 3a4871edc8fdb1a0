import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import type { FreshDatabase } from "./fresh-database.js";
import { startRedis } from "./redis.js";
import { sharedServer } from "./shared-server.js";

/**
 * Hands out logical databases. Claims are kept in the last one, so that several processes can share a server given by URL.
 * A database that held keys before it was ever claimed is somebody's own and is left alone.
 */
export async function freshRedisDatabase(): Promise<FreshDatabase> {
  const server = await sharedServer("LOCKSTEP_TEST_REDIS_URL", startRedis);
  const [, databases] = await using(
    server,
    async (redis) => redis.config("GET", "databases") as Promise<string[]>,
  );
  const last = Number(databases ?? 16) - 1;
  for (let number = 0; number < last; number++) {
    if (await claim(server, last, number)) return database(server, last, number);
  }
  throw new Error(`all ${last} logical databases of the test Redis are in use; a test forgot drop()`);
}

function database(server: string, last: number, number: number): FreshDatabase {
  const url = withNumber(server, number);
  return {
    url,
    drop: async () => {
      await using(url, (redis) => redis.flushdb());
      await using(withNumber(server, last), (redis) => redis.del(claimKey(number)));
    },
  };
}

async function claim(server: string, last: number, number: number): Promise<boolean> {
  const claims = withNumber(server, last);
  // An hour: a test process that was killed gives its claims back by itself.
  const mine = await using(claims, (redis) => redis.set(claimKey(number), randomUUID(), "EX", 3_600, "NX"));
  if (mine === null) return false;
  const ours = await using(claims, (redis) => redis.sismember(USED_KEY, number));
  const url = withNumber(server, number);
  if (ours === 1) await using(url, (redis) => redis.flushdb());
  else if ((await using(url, (redis) => redis.dbsize())) > 0) return false;
  await using(claims, (redis) => redis.sadd(USED_KEY, number));
  return true;
}

const USED_KEY = "lockstep-test:used";

function claimKey(number: number): string {
  return `lockstep-test:claim:${number}`;
}

function withNumber(server: string, number: number): string {
  const url = new URL(server);
  url.pathname = `/${number}`;
  return url.href;
}

async function using<T>(url: string, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}
