import { expect } from "chai";
import { runLoad } from "../src/index.js";
import { type Kind, Rig } from "./rig/rig.js";

const kinds: readonly Kind[] = ["postgres", "mariadb"];

describe("the main path", () => {
  for (const source of kinds) {
    it(`${source} → postgres and mariadb: a day in the shop arrives, row by row`, async () => {
      await using rig = await Rig.open(source, { reporting: "postgres", warehouse: "mariadb" });
      await using app = await rig.openApp();
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      await app.shop.open(30, 20);
      const { transactions } = await runLoad(app.shop, { seconds: 4, rate: 150 });
      expect(transactions).to.be.greaterThan(50);
      for (const { rows } of await rig.untilConverged()) expect(rows).to.be.greaterThan(100);
    });
  }
});
