import { comparePositions, endOfTick, positionOf, type Feed, type StreamWriter } from "@lockstep/core";
import { eventually, startProxy, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { Redis, type RedisOptions } from "ioredis";
import { keysOf, redisStreamReader, redisStreamWriter } from "../src/index.js";
import { chain, codeOf, entry, openStage } from "./support.js";

const feed: Feed = { partition: 0 };
const begin = { epoch: "e1", incarnation: "source-1", at: positionOf(0, 0) };

describe("stream writer", () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let writer: StreamWriter;
  let stream: string;
  const ids = async (): Promise<string[]> => (await stage.redis.xrange(stream, "-", "+")).map(([id]) => id);

  beforeEach(async () => {
    stage = await openStage();
    writer = redisStreamWriter({ redis: stage.url, source: stage.source });
    stream = keysOf(stage.source).feed(feed);
  });
  afterEach(async () => {
    await writer.close();
    await stage.close();
  });

  it("knows no head before a feed has begun", async () => {
    expect(await writer.head(feed)).to.equal(undefined);
  });

  it("begins an empty feed at any position, even behind the last possible ordinal", async () => {
    for (const at of [positionOf(0, 0), positionOf(5, 12), endOfTick(9)]) {
      await writer.begin(feed, { ...begin, at });
      expect(await writer.head(feed)).to.deep.equal({
        epoch: "e1",
        incarnation: "source-1",
        last: at,
        length: 0,
      });
    }
    await writer.append(feed, "e1", [entry(endOfTick(9), positionOf(10, 1))]);
    expect(await ids()).to.deep.equal(["10-1"]);
  });

  it("appends a chain, in calls of bounded size", async () => {
    await writer.close();
    writer = redisStreamWriter({ redis: stage.url, source: stage.source, maxCallBytes: 100 });
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 20, 3));
    expect((await writer.head(feed))?.length).to.equal(20);
    expect((await writer.head(feed))?.last).to.equal("20-3");
  });

  it("teaches a server the script that has forgotten it, between calls under way too", async () => {
    await writer.begin(feed, begin);
    for (let at = 0; at < 40; at += 20) {
      await stage.redis.script("FLUSH");
      await writer.append(feed, "e1", chain(at, 20));
    }
    expect((await writer.head(feed))?.last).to.equal("40-1");
  });

  it("puts a prefix of the application's before every key", async () => {
    await writer.close();
    const { host, port, db } = stage.redis.options;
    writer = redisStreamWriter({
      redis: { host, port, db, keyPrefix: "app:" } as RedisOptions,
      source: stage.source,
    });
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 3));
    expect(await stage.redis.xlen(`app:${stream}`)).to.equal(3);
    expect(await stage.redis.exists(stream)).to.equal(0);
  });

  it("remembers the total of the last entry, also when every entry is trimmed", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", [
      entry(positionOf(0, 0), positionOf(1, 2), 2, { total: 2_000_000_000_001 }),
      entry(positionOf(1, 2), positionOf(2, 1), 1, { total: 2_000_000_000_002 }),
    ]);
    await writer.trim(feed, positionOf(2, 1));
    expect(await writer.head(feed)).to.include({ length: 0, last: "2-1", total: 2_000_000_000_002 });
  });

  it("refuses a hole and everything after it", async () => {
    await writer.begin(feed, begin);
    const [first, , third, fourth] = chain(0, 4);
    expect(await codeOf(writer.append(feed, "e1", [first!, third!, fourth!]))).to.equal("STREAM_GAP");
    expect(await ids()).to.deep.equal(["1-1"]);
  });

  it("refuses what follows a refused call that was sent before it", async () => {
    await writer.begin(feed, begin);
    const [first, second, third] = chain(0, 3);
    const sent = [writer.append(feed, "e1", [second!]), writer.append(feed, "e1", [third!])];
    expect(await Promise.all(sent.map(codeOf))).to.deep.equal(["STREAM_GAP", "STREAM_GAP"]);
    await writer.append(feed, "e1", [first!]);
    expect(await ids()).to.deep.equal(["1-1"]);
  });

  it("takes the same entries twice without a duplicate", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 5));
    await writer.append(feed, "e1", chain(0, 6));
    expect(await ids()).to.deep.equal(["1-1", "2-1", "3-1", "4-1", "5-1", "6-1"]);
  });

  it("takes what is already trimmed as landed", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 5));
    await writer.trim(feed, positionOf(3, 1));
    expect(await ids()).to.deep.equal(["4-1", "5-1"]);
    await writer.append(feed, "e1", chain(0, 6));
    expect(await ids()).to.deep.equal(["4-1", "5-1", "6-1"]);
  });

  it("refuses an entry that is there with another predecessor", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 3));
    expect(await codeOf(writer.append(feed, "e1", [entry(positionOf(1, 1), positionOf(3, 1))]))).to.equal(
      "STREAM_GAP",
    );
  });

  it("refuses an entry that straddles one that is there", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", [entry(positionOf(0, 0), positionOf(1, 4), 4)]);
    const other = [
      entry(positionOf(0, 0), positionOf(1, 3), 3),
      entry(positionOf(1, 3), positionOf(1, 6), 3),
    ];
    expect(await codeOf(writer.append(feed, "e1", other.slice(1)))).to.equal("STREAM_GAP");
    expect(await ids()).to.deep.equal(["1-4"]);
  });

  it("refuses the writer of another epoch", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 2));
    await writer.begin(feed, { ...begin, epoch: "e2" });
    expect(await codeOf(writer.append(feed, "e1", chain(2, 1)))).to.equal("STREAM_GAP");
    expect(await ids()).to.deep.equal([]);
  });

  it("compares ids as numbers of any length", async () => {
    await writer.begin(feed, { ...begin, at: positionOf(9, 9) });
    const huge = 18446744073709551615n;
    await writer.append(feed, "e1", [
      entry(positionOf(9, 9), positionOf(9, 10)),
      entry(positionOf(9, 10), positionOf(10, 2)),
      entry(positionOf(10, 2), positionOf(huge - 1n, 1)),
      entry(positionOf(huge - 1n, 1), positionOf(huge, 1)),
    ]);
    expect((await ids()).at(-1)).to.equal(`${huge}-1`);
  });

  it("refuses to go on when Redis was emptied", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 2));
    await stage.redis.flushdb();
    expect(await codeOf(writer.append(feed, "e1", chain(2, 1)))).to.equal("STREAM_GAP");
    expect(await writer.head(feed)).to.equal(undefined);
  });

  it("notices the last entries deleted: no head, nothing lands behind the hole", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 4));
    await stage.redis.xdel(stream, "3-1", "4-1");
    expect(await codeOf(writer.append(feed, "e1", chain(4, 1)))).to.equal("STREAM_GAP");
    expect(await writer.head(feed)).to.equal(undefined);
  });

  it("notices a fail-over that lost a suffix", async () => {
    await writer.begin(feed, begin);
    await writer.append(feed, "e1", chain(0, 2));
    const replica = await stage.redis.dumpBuffer(stream);
    await writer.append(feed, "e1", chain(2, 3));
    await stage.redis.restore(stream, 0, replica, "REPLACE");
    expect(await codeOf(writer.append(feed, "e1", chain(5, 1)))).to.equal("STREAM_GAP");
    expect((await writer.head(feed))?.last).to.equal("2-1");
  });

  it("keeps feeds apart and removes them", async () => {
    const own: Feed = { partition: 0, target: "t1" };
    await writer.begin(feed, begin);
    await writer.begin(own, { ...begin, epoch: "c1" });
    await writer.append(own, "c1", chain(0, 2));
    expect((await writer.head(feed))?.length).to.equal(0);
    await writer.remove(own);
    expect(await writer.head(own)).to.equal(undefined);
    expect(await writer.head(feed)).to.not.equal(undefined);
  });
});

describe("stream writer and a Redis in trouble", () => {
  it("lands a prefix when Redis runs out of memory, and goes on when there is room", async () => {
    await using server = await startRedis({
      settings: { maxmemory: "6mb", "maxmemory-policy": "noeviction" },
    });
    const writer = redisStreamWriter({ redis: server.url, source: "shop", maxCallBytes: 200_000 });
    const redis = new Redis(server.url);
    try {
      await writer.begin(feed, begin);
      const big = chain(0, 100).map((e) => ({
        ...e,
        events: e.events.map((v) => ({ ...v, image: JSON.stringify(["1", "x".repeat(100_000)]) })),
      }));
      expect(await codeOf(writer.append(feed, "e1", big))).to.equal("STREAM_UNAVAILABLE");
      const landed = await redis.xrange(keysOf("shop").feed(feed), "-", "+");
      expect(landed.length).to.be.greaterThan(0).and.lessThan(100);
      expect(landed.map(([id]) => id)).to.deep.equal(big.slice(0, landed.length).map((e) => e.id));
      await redis.config("SET", "maxmemory", "200mb");
      await writer.append(feed, "e1", big);
      expect((await writer.head(feed))?.length).to.equal(100);
    } finally {
      redis.disconnect();
      await writer.close();
    }
  });

  it("answers in bounded time while Redis is away and works again when it is back", async () => {
    await using server = await startRedis({ appendOnly: true });
    const writer = redisStreamWriter({ redis: server.url, source: "shop", commandTimeoutMs: 500 });
    try {
      await writer.begin(feed, begin);
      await server.stop();
      const started = performance.now();
      expect(await codeOf(writer.append(feed, "e1", chain(0, 1)))).to.equal("STREAM_UNAVAILABLE");
      expect(await codeOf(writer.head(feed))).to.equal("STREAM_UNAVAILABLE");
      expect(performance.now() - started).to.be.lessThan(20_000);
      await server.start();
      await eventually(async () => (await writer.head(feed)) !== undefined);
      await writer.append(feed, "e1", chain(0, 3));
      expect((await writer.head(feed))?.last).to.equal("3-1");
    } finally {
      await writer.close();
    }
  });

  it("answers in bounded time when Redis never answers, and an append that landed unseen is no duplicate", async () => {
    await using server = await startRedis();
    await using proxy = await startProxy({ port: server.port });
    const writer = redisStreamWriter({
      redis: proxy.url(server.url),
      source: "shop",
      commandTimeoutMs: 1_000,
    });
    try {
      await writer.begin(feed, begin);
      await writer.append(feed, "e1", chain(0, 1));
      proxy.blackHole();
      expect(await codeOf(writer.append(feed, "e1", chain(1, 1)))).to.equal("STREAM_UNAVAILABLE");
      await proxy.heal();
      await eventually(async () => (await writer.head(feed))?.last === "2-1", { what: "the late append" });
      await writer.append(feed, "e1", chain(0, 3));
      expect((await writer.head(feed))?.length).to.equal(3);
    } finally {
      await writer.close();
    }
  });

  it("says nothing of row values in its errors", async () => {
    await using server = await startRedis({ settings: { maxmemory: "1mb" } });
    const writer = redisStreamWriter({ redis: server.url, source: "shop" });
    try {
      const seen = await writer
        .begin(feed, begin)
        .then(() => writer.append(feed, "e1", chain(0, 2)))
        .then(
          () => new Error("nothing failed"),
          (error: Error) => error,
        );
      const cause = seen.cause as Error;
      expect(cause).to.be.instanceOf(Error);
      expect(JSON.stringify([seen, cause.message, Object.entries(cause)])).to.not.contain("täxt");
      expect(Object.keys(cause)).to.not.include("command");
    } finally {
      await writer.close();
    }
  });
});

describe("stream reader", () => {
  let stage: Awaited<ReturnType<typeof openStage>>;
  let writer: StreamWriter;
  let reader: ReturnType<typeof redisStreamReader>;
  beforeEach(async () => {
    stage = await openStage();
    writer = redisStreamWriter({ redis: stage.url, source: stage.source });
    reader = redisStreamReader({ redis: stage.url, source: stage.source });
    await writer.begin(feed, begin);
  });
  afterEach(async () => {
    await writer.close();
    await reader.close();
    await stage.close();
  });

  it("gives back exactly what was appended, after any position", async () => {
    const entries = chain(0, 3, 2);
    await writer.append(feed, "e1", entries);
    const read = { maxEntries: 10, blockMs: 0 };
    expect(await reader.read(feed, positionOf(0, 0), read)).to.deep.equal(entries);
    expect(await reader.read(feed, positionOf(1, 2), read)).to.deep.equal(entries.slice(1));
    expect(await reader.read(feed, positionOf(1, 1), read)).to.deep.equal(entries);
    expect(await reader.read(feed, positionOf(0, 0), { ...read, maxEntries: 1 })).to.deep.equal(
      entries.slice(0, 1),
    );
  });

  it("waits for an entry and wakes at once", async () => {
    const waiting = reader.read(feed, positionOf(0, 0), { maxEntries: 10, blockMs: 10_000 });
    await eventually(async () => String(await stage.redis.client("LIST")).includes("cmd=xread"));
    await writer.append(feed, "e1", chain(0, 1));
    expect((await waiting).map((e) => e.id)).to.deep.equal(["1-1"]);
  });

  it("answers an empty array when nothing comes, when there is no feed, and when aborted", async () => {
    expect(await reader.read(feed, positionOf(0, 0), { maxEntries: 1, blockMs: 10 })).to.deep.equal([]);
    const none: Feed = { partition: 7 };
    expect(await reader.read(none, positionOf(3, 0), { maxEntries: 1, blockMs: 10 })).to.deep.equal([]);
    const stop = new AbortController();
    const blocked = reader.read(feed, positionOf(0, 0), {
      maxEntries: 1,
      blockMs: 60_000,
      signal: stop.signal,
    });
    stop.abort();
    expect(await blocked).to.deep.equal([]);
    await writer.append(feed, "e1", chain(0, 1));
    expect(await reader.read(feed, positionOf(0, 0), { maxEntries: 1, blockMs: 10 })).to.have.length(1);
  });

  it("reports a gap when what it would read is already trimmed and nothing else comes", async () => {
    await writer.append(feed, "e1", chain(0, 3));
    await writer.trim(feed, positionOf(3, 1));
    const read = { maxEntries: 1, blockMs: 10 };
    expect(await codeOf(reader.read(feed, positionOf(1, 1), read))).to.equal("STREAM_GAP");
    expect(await reader.read(feed, positionOf(3, 1), read)).to.deep.equal([]);
  });

  it("fails in bounded time while Redis is away and reads on when it is back", async () => {
    await using server = await startRedis({ appendOnly: true });
    const there = redisStreamWriter({ redis: server.url, source: "shop" });
    const here = redisStreamReader({ redis: server.url, source: "shop", commandTimeoutMs: 500 });
    try {
      await there.begin(feed, begin);
      await there.append(feed, "e1", chain(0, 2));
      await server.kill();
      const read = { maxEntries: 10, blockMs: 100 };
      expect(await codeOf(here.read(feed, positionOf(0, 0), read))).to.equal("STREAM_UNAVAILABLE");
      await server.start();
      const entries = await eventually(() => here.read(feed, positionOf(0, 0), read));
      expect(entries.map((e) => e.id)).to.deep.equal(["1-1", "2-1"]);
      expect(comparePositions(entries[0]!.id, entries[1]!.id)).to.be.lessThan(0);
    } finally {
      await there.close();
      await here.close();
    }
  });
});
