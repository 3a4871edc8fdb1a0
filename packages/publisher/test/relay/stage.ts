import { randomUUID } from "node:crypto";
import { positionOf, type ChangeLog, type LoggedEvent } from "@lockstep/core";
import { keysOf, redisStreamWriter, type Keys } from "@lockstep/stream";
import { eventually, freshRedis } from "@lockstep/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import { startRelay, type Relay, type RelayLimits, type RelayOptions } from "../../src/relay/index.js";
import { MemoryLog, type Change } from "./memory-log.js";
import { startTestLane, type TestLane, type TestLaneOptions } from "./test-lane.js";

/** Limits that make tests quick and small streams full. */
const quickLimits: Partial<RelayLimits> = {
  settleMs: 50,
  standbyMs: 50,
  idleMs: 100,
  pageEvents: 50,
  maxEntryEvents: 10,
  drainTimeoutMs: 20_000,
};

/** A source in memory, a real Redis, and what a test starts on them; everything ends with `close`. */
export interface Stage {
  readonly url: string;
  readonly source: string;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: MemoryLog;
  relay(options?: Partial<RelayOptions> & { readonly log?: ChangeLog }): Relay;
  lane(id: string, options?: Partial<TestLaneOptions>): TestLane;
  close(): Promise<void>;
}

/** Opens a stage; `url` names a Redis of the test's own. */
export async function openStage(url?: string): Promise<Stage> {
  const database = url === undefined ? await freshRedis() : { url, drop: async () => undefined };
  const source = `s-${randomUUID()}`;
  const redis = new Redis(database.url);
  redis.on("error", () => undefined);
  const log = new MemoryLog();
  const opened: (() => Promise<unknown>)[] = [];
  return {
    url: database.url,
    source,
    redis,
    keys: keysOf(source),
    log,
    relay(options = {}) {
      const stream = redisStreamWriter({ redis: database.url, source, commandTimeoutMs: 1_000 });
      const relay = startRelay({
        log,
        stream,
        source,
        ...options,
        limits: { ...quickLimits, ...options.limits },
      });
      opened.push(async () => {
        await relay[Symbol.asyncDispose]();
        await stream.close();
      });
      return relay;
    },
    lane(id, options = {}) {
      const lane = startTestLane({ redis: database.url, source, id, ...options });
      opened.push(async () => lane[Symbol.asyncDispose]());
      return lane;
    },
    async close() {
      await Promise.all(opened.map((close) => close()));
      redis.disconnect();
      await database.drop();
    },
  };
}

/** A transaction of `n` inserts. */
export function inserts(n: number, from = 0): Change[] {
  return Array.from({ length: n }, (_, i) => ({ key: String(from + i) }));
}

/** Positions of the events of a log. */
export function positionsOf(events: readonly LoggedEvent[]): string[] {
  return events.map((e) => positionOf(e.tick, e.ordinal));
}

/** Waits until a lane is registered and stands somewhere. */
export async function joined(lane: TestLane): Promise<void> {
  await eventually(async () => lane.confirmation() !== undefined && lane.position() !== undefined, {
    what: `${lane.id} to join`,
  });
}

/** Waits until a lane took as many events as were committed since `from`, and compares. */
export async function converged(lane: TestLane, log: MemoryLog, from = 0): Promise<void> {
  await eventually(async () => lane.taken.length >= log.events - from, {
    what: `${lane.id} to take everything`,
  });
  const expected = positionsOf(log.committed).slice(from);
  const wrong = lane.taken.findIndex((position, i) => position !== expected[i]);
  expect([wrong, lane.taken[wrong], expected[wrong]]).to.deep.equal([-1, undefined, undefined]);
  expect(lane.taken.length).to.equal(expected.length);
}
