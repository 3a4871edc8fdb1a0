import { type Position, positionOf, type StreamEntry } from "@lockstep/core";
import type { MeasuredWork } from "@lockstep/testing";
import { redisStreamReader, redisStreamWriter } from "../src/index.js";
import { entry } from "./support.js";

const feed = { partition: 0 };
const events = 40;
const image = JSON.stringify(["x".repeat(5_000)]);
const at = (tick: number): Position => positionOf(tick, tick === 0 ? 0 : events);
const entryAt = (tick: number): StreamEntry => {
  const whole = entry(at(tick - 1), at(tick), events);
  return { ...whole, events: whole.events.map((event) => ({ ...event, image })) };
};

/** A feed of 40 entries, of 200 kB each. */
async function begun(redis: string, source: string) {
  const writer = redisStreamWriter({ redis, source });
  await writer.begin(feed, { epoch: "e1", incarnation: "source-1", at: at(0) });
  const append = async (): Promise<void> => {
    for (let tick = 1; tick <= 40; tick++) await writer.append(feed, "e1", [entryAt(tick)]);
  };
  return { writer, append };
}

/** Writes it, again and again. */
export async function writing(redis: string, source: string): Promise<MeasuredWork> {
  const { writer, append } = await begun(redis, source);
  return { run: append, [Symbol.asyncDispose]: async () => void (await writer.close()) };
}

/** Writes much more, and trims it. */
export async function writingOn(redis: string, source: string): Promise<MeasuredWork> {
  const { writer } = await begun(redis, source);
  const run = async (): Promise<void> => {
    for (let tick = 1; tick <= 600; tick++) {
      await writer.append(feed, "e1", [entryAt(tick)]);
      await writer.trim(feed, at(tick - 1));
    }
  };
  return { run, [Symbol.asyncDispose]: async () => void (await writer.close()) };
}

/** Reads it. */
export async function reading(redis: string, source: string): Promise<MeasuredWork> {
  const { writer, append } = await begun(redis, source);
  await append();
  await writer.close();
  const reader = redisStreamReader({ redis, source });
  const run = async (): Promise<void> => {
    for (let tick = 1; tick <= 40; tick++) {
      const [found] = await reader.read(feed, at(tick - 1), { maxEntries: 1, blockMs: 0 });
      if (found?.events[0]?.image !== image) throw new Error(`entry ${tick} isn't what was written`);
    }
  };
  return { run, [Symbol.asyncDispose]: async () => void (await reader.close()) };
}
