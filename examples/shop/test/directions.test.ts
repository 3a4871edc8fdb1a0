import type { CaptureKind } from "@lockstep/core";
import { expect } from "chai";
import { runLoad } from "../src/index.js";
import { type Kind, Rig } from "./rig/rig.js";

const ways: readonly (readonly [Kind, CaptureKind])[] = [
  ["postgres", "subscriber"],
  ["postgres", "trigger"],
  ["postgres", "wal"],
  ["mariadb", "subscriber"],
  ["mariadb", "trigger"],
  ["mariadb", "binlog"],
];

describe("the main path", () => {
  for (const [source, capture] of ways) {
    it(`${source}, captured by ${capture} → postgres and mariadb: a day in the shop arrives, row by row`, async () => {
      await using rig = await Rig.open(source, { reporting: "postgres", warehouse: "mariadb" });
      // Neither its binlog nor its triggers show what foreign keys do; the shop removes an order's lines by itself.
      const isUnseen = source === "mariadb" && capture !== "subscriber";
      const accepted = isUnseen ? ({ foreignKeyActions: "accept" } as const) : {};
      await using app = await rig.openApp({ capture, ...accepted });
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      await app.shop.open(30, 20);
      const { transactions } = await runLoad(app.shop, { seconds: 4, rate: 150 });
      expect(transactions).to.be.greaterThan(50);
      for (const { rows } of await rig.untilConverged()) expect(rows).to.be.greaterThan(100);
    });
  }
});
