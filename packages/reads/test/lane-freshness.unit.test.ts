import type { Position } from "@lockstep/core";
import { expect } from "chai";
import { laneFreshness, laneProgress, type LaneTarget } from "../src/index.js";

it("all lanes that the source has count, also where their number is known only with the barrier", async () => {
  const lane = (partition: number, position: string) => ({
    source: "shop",
    partition,
    position,
    incarnation: "i",
    seeded: true,
  });
  const source = {
    source: "shop",
    partitions: 1,
    async barrier() {
      source.partitions = 2;
      return { position: "2-1" as Position, incarnation: "i" };
    },
  };
  const lanes = [lane(0, "2-1"), lane(1, "1-1")];
  const target = { name: "reporting", checkpoints: async () => lanes, close: async () => undefined };
  const freshness = laneFreshness(source, target as unknown as LaneTarget);
  const mark = await freshness.mark();
  expect(await freshness.has(mark)).to.equal(false);
  lanes[1] = lane(1, "2-1");
  expect(await freshness.has(mark)).to.equal(true);
});

it("a target that isn't seeded is no replica, however far its lanes are, and a barrier is answered all the same", async () => {
  const source = {
    source: "shop",
    partitions: 2,
    barrier: async () => ({ position: "2-1" as Position, incarnation: "i" }),
  };
  const lane = (partition: number, seeded: boolean) => ({
    source: "shop",
    partition,
    position: "2-1",
    incarnation: "i",
    seeded,
  });
  let lanes = [lane(0, true), lane(1, false), { ...lane(0, false), source: "other" }];
  const target = {
    name: "reporting",
    checkpoints: async () => lanes,
    close: async () => undefined,
  } as unknown as LaneTarget;
  const freshness = laneFreshness(source, target);
  const mark = await freshness.mark();
  expect(await laneProgress(source, target).has(mark)).to.equal(true);
  const error: unknown = await freshness.has(mark).catch((thrown: unknown) => thrown);
  expect(error).to.have.property("code", "REPLICA_UNSEEDED");
  lanes = [lane(0, true), lane(1, true), { ...lane(0, false), source: "other" }];
  expect(await freshness.has(mark)).to.equal(true);
});
