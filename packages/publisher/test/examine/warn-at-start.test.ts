import { postgresOutboxWriter } from "@lockstep/outbox";
import { freshPostgres, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import pg from "pg";
import { warnAtStart } from "../../src/examine/warn-at-start.js";

const none = (): void => undefined;

describe("the checks at start", () => {
  it("warn of a Redis that may throw away streams, by what is set, not by what is in it", async () => {
    const source = await freshPostgres();
    await using server = await startRedis();
    const redis = new Redis(server.url);
    try {
      await redis.config("SET", "maxmemory-policy", "allkeys-lru");
      await withOutbox(source.url);
      expect(await checksWarnedOf(source.url, server.url)).to.include("redis.eviction");
      await redis.config("SET", "maxmemory-policy", "noeviction");
      expect(await checksWarnedOf(source.url, server.url)).not.to.include("redis.eviction");
      // That a server is away is told by the relay.
      expect(await checksWarnedOf("postgres://nobody@127.0.0.1:1/none", server.url)).to.deep.equal([]);
    } finally {
      redis.disconnect();
      await source.drop();
    }
  });
});

async function checksWarnedOf(url: string, redis: string): Promise<unknown[]> {
  const checks: unknown[] = [];
  const warn = (fields: object): void => void checks.push("check" in fields ? fields.check : fields);
  const logger = { debug: none, info: none, error: none, warn };
  const source = { name: "shop", outbox: {}, logger, engine: "postgres" as const, connection: url };
  await warnAtStart({ source, capture: "subscriber", redis }, logger);
  return checks;
}

async function withOutbox(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await postgresOutboxWriter().ensure(
    async (sql) => (await client.query<Record<string, unknown>>(sql)).rows ?? [],
  );
  await client.end();
}
