import { randomUUID } from "node:crypto";
import { positionOf, type ChangeEvent, type Position, type StreamEntry } from "@lockstep/core";
import { freshRedis, type FreshDatabase } from "@lockstep/testing";
import { Redis } from "ioredis";

/** An entry of `events` events that covers (`previous`, `id`]. */
export function entry(
  previous: Position,
  id: Position,
  events = 1,
  more: Partial<StreamEntry> = {},
): StreamEntry {
  const first = Number(id.split("-")[1]) - events + 1;
  return {
    id,
    previous,
    incarnation: "source-1",
    total: 1,
    endsTick: true,
    continues: false,
    transactions: [{ id: "7", at: 1_700_000_000_000, events }],
    events: Array.from({ length: events }, (_, i) => event(first + i)),
    ...more,
  };
}

function event(ordinal: number): ChangeEvent {
  return { ordinal, op: "insert", schema: "s1", key: `["${ordinal}"]`, image: `["${ordinal}","täxt ✓"]` };
}

/** `count` entries, one per tick, chained from tick `from`. */
export function chain(from: number, count: number, events = 1): StreamEntry[] {
  const at = (tick: number): Position => positionOf(tick, tick === 0 ? 0 : events);
  return Array.from({ length: count }, (_, i) => entry(at(from + i), at(from + i + 1), events));
}

/** A Redis database and a source name of the test's own, and a client to look into it. */
export async function openStage(): Promise<{
  readonly url: string;
  readonly source: string;
  readonly redis: Redis;
  close(): Promise<void>;
}> {
  const database: FreshDatabase = await freshRedis();
  const redis = new Redis(database.url);
  return {
    url: database.url,
    source: `s-${randomUUID()}`,
    redis,
    async close() {
      redis.disconnect();
      await database.drop();
    },
  };
}

/** The code of the LockstepError that `work` fails with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
