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
      // What MariaDB's foreign keys do is not in its binlog: triggers write it.
      const asked = capture === "binlog" ? ({ foreignKeyActions: "capture" } as const) : {};
      await using app = await rig.openApp({ capture, ...asked });
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      await app.shop.open(30, 20);
      const { transactions } = await runLoad(app.shop, { seconds: 2, rate: 300 });
      expect(transactions).to.be.greaterThan(50);
      for (const { rows } of await rig.untilConverged()) expect(rows).to.be.greaterThan(100);
      if (capture === "subscriber") return;
      // By hand: nothing but the foreign key removes the lines.
      await app.dataSource.query("delete from orders where id % 3 = 0");
      await rig.untilConverged();
    });
  }
});
