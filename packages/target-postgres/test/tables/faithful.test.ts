import { contractContext, openLane, rejection } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("external columns that are narrower than the source's", () => {
  const context = contractContext(openFixture);

  it("take what they hold exactly and refuse the rest, instead of rounding it", async () => {
    await context.fixture.run(
      "create table narrow (id integer primary key, n numeric(12,2), t timestamp(0), s varchar(3))",
    );
    const target = await context.target();
    const lane = await openLane(target, "narrow");
    const [table] = await lane.session.tables([
      sourceTable("narrow", {
        id: ["integer", "integer"],
        n: ["numeric", "numeric"],
        t: ["timestamp without time zone", "timestamp"],
        s: ["text", "text"],
      }),
    ]);
    const good = ["1.500", "2026-01-02 03:04:05", "ab "];
    for (const count of [1, 10, 120]) {
      const rows = (bad: Readonly<Record<number, string>>) =>
        Array.from({ length: count }, (_, n) =>
          row([String(n), ...good.map((cell, i) => (n === count - 1 ? (bad[i] ?? cell) : cell))]),
        );
      for (const [at, value, about] of [
        [0, "1.501", "n"],
        [1, "2026-01-02 03:04:05.5", "t"],
        [2, "abc ", "s"],
      ] as const) {
        const error = await rejection(
          lane.step((transaction) => transaction.upsert(table!, rows({ [at]: value }))),
        );
        expect(target.classify(error)).deep.equal({ kind: "row", code: "TARGET_VALUE", about });
        expect(String(error)).not.contain(value);
      }
      await lane.step((transaction) => transaction.upsert(table!, rows({})));
    }
    expect(await context.fixture.read("select distinct n, t, s from narrow")).deep.equal([
      ["1.50", "2026-01-02 03:04:05", "ab "],
    ]);
    await lane.close();
  });
});
