import { type Position, positionOf, type StreamEntry } from "@lockstep/core";
import { fullCollections, leftBehind } from "@lockstep/testing";
import { expect } from "chai";
import { redisStreamReader, redisStreamWriter } from "../src/index.js";
import { entry, openStage } from "./support.js";

const feed = { partition: 0 };
const events = 40;
const image = JSON.stringify(["x".repeat(5_000)]);
const at = (tick: number): Position => positionOf(tick, tick === 0 ? 0 : events);
const entryAt = (tick: number): StreamEntry => {
  const whole = entry(at(tick - 1), at(tick), events);
  return { ...whole, events: whole.events.map((event) => ({ ...event, image })) };
};

describe("what goes to Redis and comes from there", () => {
  it("is left to the next full collection neither by its writer nor by its readers", async () => {
    const stage = await openStage();
    const writer = redisStreamWriter({ redis: stage.url, source: stage.source });
    const reader = redisStreamReader({ redis: stage.url, source: stage.source });
    try {
      await writer.begin(feed, { epoch: "e1", incarnation: "source-1", at: at(0) });
      const written = await leftBehind(async () => {
        for (let tick = 1; tick <= 40; tick++) await writer.append(feed, "e1", [entryAt(tick)]);
      });
      let images = 0;
      const read = await leftBehind(async () => {
        for (let tick = 1; tick <= 40; tick++) {
          const [found] = await reader.read(feed, at(tick - 1), { maxEntries: 1, blockMs: 0 });
          if (found?.events[0]?.image === image) images++;
        }
      });
      expect(images % 40).to.equal(0);
      // Of more than eight million each, of which a third and more was left.
      expect(written).to.be.lessThan(1_500_000);
      expect(read).to.be.lessThan(1_500_000);
    } finally {
      await reader.close();
      await writer.close();
      await stage.close();
    }
  });

  it("makes V8 collect everything no more often than nothing does", async () => {
    const stage = await openStage();
    const writer = redisStreamWriter({ redis: stage.url, source: stage.source });
    try {
      await writer.begin(feed, { epoch: "e1", incarnation: "source-1", at: at(0) });
      const collections = await fullCollections(async () => {
        for (let tick = 1; tick <= 600; tick++) {
          await writer.append(feed, "e1", [entryAt(tick)]);
          await writer.trim(feed, at(tick - 1));
        }
      });
      // With Buffers of each text and call it did so for every 30 MB, of 240.
      expect(collections).to.be.lessThan(4);
    } finally {
      await writer.close();
      await stage.close();
    }
  });
});
