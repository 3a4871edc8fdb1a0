import { comparePositions } from "@lockstep/core";
import { redisStreamWriter } from "@lockstep/stream";
import { eventually, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { setTimeout as pause } from "node:timers/promises";
import type { Relay } from "../../src/relay/index.js";
import { converged, inserts, joined, openStage, positionsOf, type Stage } from "./stage.js";

describe("relay", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.close());

  it("registers a target and publishes what is committed from then on", async () => {
    stage.log.commit(inserts(3));
    stage.relay();
    await eventually(async () => stage.log.committed.length === 3);
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(2), inserts(25), inserts(1));
    await converged(lane, stage.log, 3);
    expect(lane.confirmation()).to.deep.equal({
      start: "1-3",
      incarnation: "source-1",
      partitions: 1,
      state: "following",
    });
    expect(lane.entries.at(-1)?.endsTick).to.equal(true);
    expect(lane.entries.some((e) => e.continues)).to.equal(true);
  });

  it("takes acknowledgements to the source, and trims outbox and stream by them", async () => {
    stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(30));
    await converged(lane, stage.log);
    await eventually(async () => (await stage.log.prunedThrough()) === "1-30");
    await eventually(async () => (await stage.redis.xlen(stage.keys.feed({ partition: 0 }))) === 0);
    expect((await stage.log.targets())[0]?.position).to.equal("1-30");
  });

  it("takes acknowledgements to the source while its clock is put back", async () => {
    let skew = 0;
    stage.relay({ now: () => Date.now() + skew });
    const lane = stage.lane("t1");
    await joined(lane);
    skew = -3_600_000;
    stage.log.commit(inserts(30));
    await converged(lane, stage.log);
    await eventually(async () => (await stage.log.prunedThrough()) === "1-30");
    // Whoever comes now is answered as well.
    await joined(stage.lane("t2"));
  });

  it("takes the changes of a busy source in larger ticks", async () => {
    stage.relay({ limits: { restMs: 100 } });
    const lane = stage.lane("t1");
    await joined(lane);
    const ticks = () => new Set(stage.log.committed.map(({ tick }) => tick)).size;
    const writeFor = async (ms: number) => {
      for (const end = performance.now() + ms; performance.now() < end; await pause(2)) {
        stage.log.commit(...Array.from({ length: 20 }, () => inserts(1)));
      }
    };
    // How fast they come is counted over the time of a rest.
    await writeFor(250);
    const before = ticks();
    await writeFor(400);
    // Without rests, one for nearly every pause above.
    expect(ticks() - before).to.be.lessThan(10);
    await converged(lane, stage.log);
  });

  it("publishes at once when nudged", async () => {
    const relay = stage.relay({ limits: { idleMs: 60_000 } });
    const lane = stage.lane("t1");
    await joined(lane);
    await eventually(async () => {
      const status = relay.status();
      return status.phase === "leading" && status.isCaughtUp;
    });
    stage.log.commit(inserts(1));
    relay.nudge();
    await converged(lane, stage.log);
  });

  it("publishes at once when nudged, and by itself, also when the source no longer answers whoever listens", async () => {
    const relay = stage.relay({ limits: { idleMs: 300 } });
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.isDeaf = true;
    for (let i = 0; i < 5; i++) {
      stage.log.commit(inserts(1));
      if (i % 2 === 0) relay.nudge();
      await converged(lane, stage.log);
    }
  });

  it("goes on where it stopped, and publishes what was left", async () => {
    const first = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(5));
    await converged(lane, stage.log);
    await first[Symbol.asyncDispose]();
    await first.done;
    expect(first.status()).to.deep.equal({ phase: "closed" });
    const epoch = await stage.redis.hget(stage.keys.epoch({ partition: 0 }), "epoch");
    stage.log.commit(inserts(5), inserts(3));
    stage.relay();
    await converged(lane, stage.log);
    expect(await stage.redis.hget(stage.keys.epoch({ partition: 0 }), "epoch")).to.equal(epoch);
    expect(lane.catchUps()).to.equal(0);
  });

  it("publishes what is committed when it is disposed", async () => {
    const relay = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(40));
    await relay[Symbol.asyncDispose]();
    await converged(lane, stage.log);
  });

  it("stands by while another leads, and takes over when its session ends", async () => {
    const first = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    const second = stage.relay();
    stage.log.commit(inserts(5));
    await converged(lane, stage.log);
    expect([first.status().phase, second.status().phase].toSorted()).to.deep.equal(["leading", "standby"]);
    for (let i = 0; i < 5; i++) {
      stage.log.endLeadersSession();
      stage.log.commit(inserts(7), inserts(20));
      await converged(lane, stage.log);
    }
  });

  it("converges when two relays both believe they lead", async () => {
    const lane = stage.lane("t1");
    // A lock that doesn't hold, as behind a pooler: only ticks and chain keep order (PROTOCOL.md 5).
    const shared = stage.log;
    const lockless = new Proxy(shared, {
      get: (log, name) =>
        name === "lead"
          ? async () => ({ lost: new Promise<void>(() => undefined), release: async () => undefined })
          : (Reflect.get(log, name) as (...a: unknown[]) => unknown),
    });
    stage.relay({ log: lockless });
    stage.relay({ log: lockless, limits: { maxEntryEvents: 7 } });
    await joined(lane);
    for (let i = 0; i < 20; i++) {
      stage.log.commit(inserts(3), inserts(12));
      await converged(lane, stage.log);
    }
  });

  it("waits while the source is away, and goes on", async () => {
    const relay = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.isAway = true;
    await eventually(async () => {
      const status = relay.status();
      return status.phase === "backing-off" && status.code === "SOURCE_UNAVAILABLE";
    });
    stage.log.isAway = false;
    stage.log.commit(inserts(5));
    await converged(lane, stage.log);
  });

  it("publishes the schema before the entries that use it", async () => {
    stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(1));
    await converged(lane, stage.log);
    expect(await stage.redis.hkeys(stage.keys.schemas)).to.deep.equal(["f1"]);
  });

  it("reports itself, its backlog and what it published", async () => {
    stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(4));
    await converged(lane, stage.log);
    const report = await eventually(async () => {
      const text = await stage.redis.get(stage.keys.relay);
      const parsed = text === null ? undefined : (JSON.parse(text) as Record<string, unknown>);
      return parsed?.["published"] === "1-4" ? parsed : undefined;
    });
    expect(report).to.include({ source: stage.source, leader: true, total: 4, incarnation: "source-1" });
  });

  it("forgets a target that was removed, and prunes without it", async () => {
    stage.relay();
    const gone = stage.lane("gone");
    const stays = stage.lane("stays");
    await joined(gone);
    await joined(stays);
    await gone[Symbol.asyncDispose]();
    stage.log.commit(inserts(5));
    await converged(stays, stage.log);
    expect(await stage.log.prunedThrough()).to.equal("0-0");
    await stage.log.removeTarget("gone");
    await eventually(async () => (await stage.log.prunedThrough()) === "1-5");
    await eventually(async () => !(await stage.redis.hexists(stage.keys.acks(0), "gone")));
    expect((await stage.log.targets()).map((t) => t.id)).to.deep.equal(["stays"]);
  });

  it("gives each of several partitions its part and every tick's end", async () => {
    stage.relay({ partitions: 3 });
    const lanes = [0, 1, 2].map((partition) => stage.lane("t1", { partition }));
    for (const lane of lanes) await joined(lane);
    for (let i = 0; i < 10; i++) stage.log.commit(inserts(13, i * 13));
    await eventually(async () =>
      lanes.every((l) => l.position() === positionsOf(stage.log.committed).at(-1)),
    );
    expect(lanes.flatMap((l) => l.taken).toSorted()).to.deep.equal(
      positionsOf(stage.log.committed).toSorted(),
    );
  });

  const refusedWith = (relay: Relay, code: string): Promise<unknown> =>
    eventually(async () => {
      const status = relay.status();
      return status.phase === "backing-off" && status.code === code;
    });

  it("refuses another number of partitions while targets follow, whatever Redis has lost", async () => {
    const first = stage.relay();
    await joined(stage.lane("t1"));
    await first[Symbol.asyncDispose]();
    const second = stage.relay({ partitions: 2 });
    await refusedWith(second, "PARTITIONS_CHANGED");
    await stage.redis.flushall();
    await second[Symbol.asyncDispose]();
    const third = stage.relay({ partitions: 2 });
    await refusedWith(third, "PARTITIONS_CHANGED");
    expect(await stage.redis.exists(stage.keys.feed({ partition: 1 }))).to.equal(0);
    await stage.log.removeTarget("t1");
    const lane = stage.lane("t2", { partition: 1 });
    await joined(lane);
    expect(lane.confirmation()?.partitions).to.equal(2);
  });

  it("stops at a TRUNCATE with several partitions, until nobody follows any more", async () => {
    const relay = stage.relay({ partitions: 2 });
    const lanes = [0, 1].map((partition) => stage.lane("t1", { partition }));
    for (const lane of lanes) await joined(lane);
    stage.log.commit(inserts(4), [{ key: "", op: "truncate" }], inserts(4));
    await refusedWith(relay, "TRUNCATE_PARTITIONED");
    await eventually(async () =>
      /TRUNCATE_PARTITIONED/.test((await stage.redis.get(stage.keys.relay)) ?? ""),
    );
    const ops = lanes.flatMap((lane) => lane.entries).flatMap((e) => e.events.map((event) => event.op));
    expect(ops).to.not.include("truncate");
    for (const lane of lanes) await lane[Symbol.asyncDispose]();
    await stage.log.removeTarget("t1");
    const later = stage.lane("t2", { partition: 0 });
    await eventually(async () => later.confirmation()?.start === positionsOf(stage.log.committed).at(-1), {
      timeoutMs: 15_000,
    });
  });

  it("halts targets that are ahead of a rewound source", async () => {
    const first = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    for (let i = 0; i < 3; i++) {
      stage.log.commit(inserts(2));
      await converged(lane, stage.log);
    }
    await first[Symbol.asyncDispose]();
    stage.log.rewind(1);
    const before = lane.taken.length;
    stage.relay();
    await eventually(async () => lane.confirmation()?.state === "needs-backfill");
    const report = await eventually(async () => stage.redis.get(stage.keys.relay));
    await eventually(async () => /SOURCE_REPLACED/.test((await stage.redis.get(stage.keys.relay)) ?? ""));
    expect(report).to.be.a("string");
    expect(lane.taken.length).to.equal(before);
  });

  it("begins anew for a source of another identity", async () => {
    const first = stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(2));
    await converged(lane, stage.log);
    await first[Symbol.asyncDispose]();
    stage.log.identity = "source-2";
    await stage.redis.hset(stage.keys.acks(0), "silent", "1-1");
    await stage.redis.hset(stage.keys.confirmations, "silent:0", "{}");
    stage.relay();
    await eventually(async () => lane.confirmation()?.incarnation === "source-2");
    expect(await stage.redis.hget(stage.keys.epoch({ partition: 0 }), "incarnation")).to.equal("source-2");
    expect(await stage.redis.hexists(stage.keys.acks(0), "silent")).to.equal(0);
  });
});

describe("relay and a Redis in trouble", () => {
  it("publishes again from the outbox when Redis is emptied at any moment", async () => {
    await using server = await startRedis();
    const stage = await openStage(server.url);
    try {
      stage.relay();
      const lanes = [stage.lane("t1"), stage.lane("t2", { maxEntries: 3 })];
      for (const lane of lanes) await joined(lane);
      for (let i = 0; i < 40; i++) {
        stage.log.commit(inserts(2), inserts(15), inserts(1));
        if (i % 4 === 0) await stage.redis.flushall();
        if (i % 8 === 7) for (const lane of lanes) await converged(lane, stage.log);
      }
      for (const lane of lanes) await converged(lane, stage.log);
    } finally {
      await stage.close();
    }
  });

  for (const [when, limits] of [
    ["nothing more is written", {}],
    ["the stream is full", { maxStreamEvents: 40, maxEntryEvents: 4 }],
  ] as const) {
    it(`notices by itself that Redis was emptied while ${when}`, async () => {
      await using server = await startRedis();
      const stage = await openStage(server.url);
      try {
        stage.relay({ limits });
        const lane = stage.lane("slow", { slowMs: 50, maxEntries: 1 });
        await joined(lane);
        for (let i = 0; i < 30; i++) stage.log.commit(inserts(4));
        await eventually(async () => (await stage.redis.xlen(stage.keys.feed({ partition: 0 }))) > 0);
        await stage.redis.flushall();
        // Not a word from the source any more.
        await converged(lane, stage.log);
      } finally {
        await stage.close();
      }
    });
  }

  it("waits while Redis is stopped, and goes on when it is back, empty or not", async () => {
    for (const appendOnly of [true, false]) {
      await using server = await startRedis({ appendOnly });
      const stage = await openStage(server.url);
      try {
        const relay = stage.relay();
        const lane = stage.lane("t1");
        await joined(lane);
        stage.log.commit(inserts(30));
        await converged(lane, stage.log);
        await server.kill();
        stage.log.commit(inserts(30), inserts(3));
        await eventually(async () => {
          const status = relay.status();
          return status.phase === "backing-off" && status.code === "STREAM_UNAVAILABLE";
        });
        await server.start();
        await converged(lane, stage.log);
      } finally {
        await stage.close();
      }
    }
  });

  it("begins a new epoch when a fail-over lost the end of the stream", async () => {
    const stage = await openStage();
    try {
      stage.relay();
      const lane = stage.lane("t1");
      const dead = stage.lane("dead");
      await joined(lane);
      await joined(dead);
      await dead[Symbol.asyncDispose]();
      const stream = stage.keys.feed({ partition: 0 });
      const epochs = new Set<string | null>();
      for (let i = 0; i < 5; i++) {
        stage.log.commit(inserts(5));
        await converged(lane, stage.log);
        const replica = await stage.redis.dumpBuffer(stream);
        stage.log.commit(inserts(5), inserts(5));
        await converged(lane, stage.log);
        await stage.redis.restore(stream, 0, replica, "REPLACE");
        stage.log.commit(inserts(5));
        await converged(lane, stage.log);
        epochs.add(await stage.redis.hget(stage.keys.epoch({ partition: 0 }), "epoch"));
      }
      expect(epochs.size).to.equal(5);
    } finally {
      await stage.close();
    }
  });

  it("goes on when Redis was out of memory", async () => {
    await using server = await startRedis();
    const stage = await openStage(server.url);
    try {
      const relay = stage.relay();
      const lane = stage.lane("t1");
      await joined(lane);
      stage.log.commit(inserts(10));
      await converged(lane, stage.log);
      await stage.redis.config("SET", "maxmemory", "1mb");
      stage.log.commit(inserts(50));
      await eventually(async () => relay.status().phase === "backing-off");
      await stage.redis.config("SET", "maxmemory", "0");
      await converged(lane, stage.log);
    } finally {
      await stage.close();
    }
  });
});

describe("relay and slow targets", () => {
  const small = { maxStreamEvents: 100, maxCatchUpEvents: 60 };
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.close());
  const streamLength = (): Promise<number> => stage.redis.xlen(stage.keys.feed({ partition: 0 }));

  it("waits in the source when the stream is full, says so, and goes on", async () => {
    const relay = stage.relay({ limits: small });
    const lane = stage.lane("t1");
    await joined(lane);
    lane.pause();
    for (let i = 0; i < 100; i++) stage.log.commit(inserts(10));
    await eventually(async () => {
      const status = relay.status();
      return status.phase === "leading" && status.waiting !== undefined;
    });
    expect(await streamLength()).to.be.at.most(11);
    lane.resume();
    await converged(lane, stage.log);
    expect(lane.catchUps()).to.equal(0);
    await eventually(async () => {
      const status = relay.status();
      return status.phase === "leading" && status.isCaughtUp && status.waiting === undefined;
    });
  });

  it("does not let a dead target stop another", async () => {
    stage.relay({ limits: small });
    const dead = stage.lane("dead");
    const alive = stage.lane("alive");
    await joined(dead);
    await joined(alive);
    await dead[Symbol.asyncDispose]();
    for (let i = 0; i < 100; i++) stage.log.commit(inserts(10));
    await converged(alive, stage.log);
    expect(alive.catchUps()).to.equal(0);
    expect(await streamLength()).to.be.at.most(11);
    expect(await stage.log.prunedThrough()).to.equal("0-0");
  });

  it("feeds a target that fell behind from the source until it rejoins", async () => {
    stage.relay({ limits: small });
    const slow = stage.lane("slow");
    const fast = stage.lane("fast");
    await joined(slow);
    await joined(fast);
    slow.pause();
    for (let i = 0; i < 60; i++) stage.log.commit(inserts(10), inserts(3));
    await converged(fast, stage.log);
    slow.resume();
    await converged(slow, stage.log);
    expect(slow.catchUps()).to.be.greaterThan(0);
    await eventually(async () => (await stage.redis.hlen(stage.keys.catchUps(0))) === 0);
    await eventually(
      async () => !(await stage.redis.exists(stage.keys.feed({ partition: 0, target: "slow" }))),
    );
    stage.log.commit(inserts(5));
    await converged(slow, stage.log);
    await converged(fast, stage.log);
    await eventually(async () => (await stage.log.prunedThrough()) !== "0-0");
  });

  it("feeds it on when the relay is killed on the way, though the source has pruned what it first asked for", async () => {
    const writer = redisStreamWriter({ redis: stage.url, source: stage.source });
    // One that is killed leaves the feed behind.
    const first = stage.relay({ limits: small, stream: { ...writer, remove: async () => undefined } });
    const slow = stage.lane("slow", { slowMs: 15, maxEntries: 1 });
    const fast = stage.lane("fast");
    await joined(slow);
    await joined(fast);
    slow.pause();
    for (let tick = 0; tick < 100; tick++) {
      stage.log.commit(inserts(10));
      await converged(fast, stage.log);
    }
    slow.resume();
    const wishes = async (): Promise<number> => stage.redis.hlen(stage.keys.catchUps(0));
    await eventually(async () => (await wishes()) > 0);
    const asked = slow.position()!;
    await eventually(async () => comparePositions(await stage.log.prunedThrough(), asked) > 0);
    await first[Symbol.asyncDispose]();
    await writer.close();
    stage.relay({ limits: small });
    await converged(slow, stage.log);
    expect(slow.confirmations).to.deep.equal(["following"]);
    expect(slow.catchUps()).to.equal(1);
  });

  it("feeds a target that was restored on the way from where it went back to", async () => {
    stage.relay({ limits: small });
    const slow = stage.lane("slow", { slowMs: 15, maxEntries: 1 });
    const fast = stage.lane("fast");
    const dead = stage.lane("dead");
    for (const lane of [slow, fast, dead]) await joined(lane);
    // It holds the source's events back.
    await dead[Symbol.asyncDispose]();
    slow.pause();
    for (let tick = 0; tick < 60; tick++) {
      stage.log.commit(inserts(10));
      await converged(fast, stage.log);
    }
    slow.resume();
    await eventually(async () => slow.taken.length > 200);
    await slow[Symbol.asyncDispose]();
    const again = stage.lane("slow", { position: "5-10" });
    await eventually(async () => again.position() === positionsOf(stage.log.committed).at(-1));
    expect(again.taken).to.deep.equal(positionsOf(stage.log.committed).slice(50));
  });

  it("feeds it also while writing goes on and Redis is emptied", async () => {
    await using server = await startRedis();
    const own = await openStage(server.url);
    try {
      own.relay({ limits: small });
      const slow = own.lane("slow", { slowMs: 2, maxEntries: 2 });
      const fast = own.lane("fast");
      await joined(slow);
      await joined(fast);
      for (let i = 0; i < 60; i++) {
        own.log.commit(inserts(10), inserts(11));
        if (i % 20 === 10) await own.redis.flushall();
        if (i % 6 === 0) await converged(fast, own.log);
      }
      await converged(fast, own.log);
      await converged(slow, own.log);
    } finally {
      await own.close();
    }
  });

  it("takes a lane over a stream that began empty beyond its position", async () => {
    stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.commit(inserts(5));
    await converged(lane, stage.log);
    await lane[Symbol.asyncDispose]();
    await stage.log.removeTarget("t1");
    await stage.redis.del(stage.keys.feed({ partition: 0 }));
    stage.log.commit(inserts(1));
    await eventually(async () => (await stage.redis.exists(stage.keys.feed({ partition: 0 }))) === 1);
    stage.log.commit(inserts(1));
    const again = stage.lane("t1", { position: "1-5" });
    stage.log.commit(inserts(2));
    await eventually(async () => again.position() === positionsOf(stage.log.committed).at(-1));
    expect(again.taken).to.deep.equal(positionsOf(stage.log.committed).slice(5));
  });

  it("tells a target whose history is gone", async () => {
    stage.relay();
    const first = stage.lane("t1");
    await joined(first);
    stage.log.commit(inserts(5));
    await converged(first, stage.log);
    stage.log.commit(inserts(5));
    await converged(first, stage.log);
    await eventually(async () => (await stage.log.prunedThrough()) === "2-5");
    await first[Symbol.asyncDispose]();
    const restored = stage.lane("t1", { position: "1-2" });
    await eventually(async () => restored.confirmation()?.state === "needs-backfill");
    expect(restored.taken).to.deep.equal([]);
  });

  it("tells a target that the retention limit passed by", async () => {
    stage.relay();
    const lane = stage.lane("t1");
    await joined(lane);
    stage.log.passBy("t1");
    await eventually(async () => lane.confirmation()?.state === "needs-backfill");
  });
});
