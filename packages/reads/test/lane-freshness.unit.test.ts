import type { Position } from "@lockstep/core";
import { expect } from "chai";
import { laneFreshness, type LaneTarget } from "../src/index.js";

it("all lanes that the source has count, also where their number is known only with the barrier", async () => {
  const lane = (partition: number, position: string) => ({
    source: "shop",
    partition,
    position,
    incarnation: "i",
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
