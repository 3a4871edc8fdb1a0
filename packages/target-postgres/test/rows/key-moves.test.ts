import { contractContext, openLane, rejection } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("key changes", () => {
  const context = contractContext(openFixture);
  const columns = { id: ["integer", "integer"], note: ["text", "text"] } as const;
  const moved = (before: string, ...image: (string | null | 0)[]) => ({
    ...row(image),
    before: `["${before}"]`,
  });

  it("of a key that is always generated", async () => {
    await context.fixture.run(
      "create table always (id integer generated always as identity primary key, note text, kept text)",
    );
    await context.fixture.run(
      "insert into always overriding system value values (1, 'one', 'k1'), (2, 'two', 'k2')",
    );
    const lane = await openLane(await context.target(), "always");
    const [table] = await lane.session.tables([sourceTable("always", columns)]);
    await lane.step((transaction) =>
      transaction.upsert(table!, [moved("1", "7", "seven"), moved("2", "1", 0)]),
    );
    expect(await context.fixture.read("select * from always order by id")).deep.equal([
      ["1", "two", "k2"],
      ["7", "seven", "k1"],
    ]);
    await lane.close();
  });

  it("of several columns, of which one changes", async () => {
    const schema = sourceTable(
      "pairs",
      { a: ["integer", "integer"], b: ["text", "text"], note: ["text", "text"] },
      ["b", "a"],
    );
    const lane = await openLane(await context.target({ schema: "managed" }), "pairs");
    const [table] = await lane.session.tables([schema]);
    const at = (a: string, b: string) => JSON.stringify([b, a]);
    await lane.step((transaction) =>
      transaction.upsert(table!, [{ key: at("1", "x"), image: ["1", "x", "n"] }]),
    );
    await lane.step((transaction) =>
      transaction.upsert(table!, [{ key: at("1", "y"), image: ["1", "y", 0], before: at("1", "x") }]),
    );
    expect(await context.fixture.read("select * from pairs")).deep.equal([["1", "y", "n"]]);
    await lane.close();
  });

  it("go along a chain in the source's order where rows reference the keys, and follow ON UPDATE CASCADE", async () => {
    await context.fixture.run(`
      create table chain (id integer primary key, note text);
      create table chained (id integer primary key, chain_id integer references chain on update cascade on delete cascade);
      insert into chain values (1, 'one'), (2, 'two');
      insert into chained values (10, 1), (20, 2)`);
    const target = await context.target();
    const lane = await openLane(target, "chain");
    const [table] = await lane.session.tables([sourceTable("chain", columns)]);
    await lane.step((transaction) =>
      transaction.upsert(table!, [moved("2", "3", "two"), moved("1", "2", "one")]),
    );
    expect(await context.fixture.read("select * from chain order by id")).deep.equal([
      ["2", "one"],
      ["3", "two"],
    ]);
    expect(await context.fixture.read("select * from chained order by id")).deep.equal([
      ["10", "2"],
      ["20", "3"],
    ]);
    // Onto a row that rows still reference: that row may not go.
    const error = await rejection(
      lane.step((transaction) => transaction.upsert(table!, [moved("2", "3", "one")])),
    );
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_WOULD_CASCADE" });
    await lane.close();
  });
});
