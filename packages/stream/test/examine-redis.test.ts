import { startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import { examineRedis } from "../src/index.js";

describe("an examination of Redis", () => {
  it("names what weakens it, and is content when that is mended", async () => {
    await using server = await startRedis({ appendOnly: false });
    const redis = new Redis(server.url);
    try {
      await redis.config("SET", "maxmemory-policy", "allkeys-lru");
      expect(await levels(server.url)).to.deep.equal({
        "redis.version": "ok",
        "redis.eviction": "error",
        "redis.persistence": "warning",
        "redis.role": "ok",
      });
      await redis.config("SET", "maxmemory-policy", "noeviction");
      await redis.config("SET", "appendonly", "yes");
      expect(Object.values(await levels(server.url))).to.deep.equal(["ok", "ok", "ok", "ok"]);
    } finally {
      redis.disconnect();
    }
  });
});

async function levels(url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await examineRedis(url)).map(({ check, level }) => [check, level]));
}
