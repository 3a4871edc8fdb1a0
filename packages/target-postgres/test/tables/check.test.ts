import { contractContext, openLane, rejection } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { sourceTable } from "../source-table.js";

describe("keys that take different texts for equal", () => {
  const context = contractContext(openFixture);

  before(() =>
    context.fixture.run(`
      create collation insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table folded (id text collate insensitive primary key);
      create table padded (id character(5) primary key)`),
  );

  for (const name of ["folded", "padded"]) {
    it(`are refused (${name}), unless they are allowed`, async () => {
      const schema = sourceTable(name, { id: ["text", "text"] });
      const lane = await openLane(await context.target(), name);
      const error = await rejection(lane.session.tables([schema]));
      expect(error).include({ code: "TARGET_KEY_COLLATION" });
      expect(String(error)).contain(`public.${name}`);
      await lane.close();
      const allowed = await openLane(await context.target({ allowInsensitiveKeys: true }), name);
      await allowed.session.tables([schema]);
      await allowed.close();
    });
  }

  it("are fine when the source pads the same way", async () => {
    const lane = await openLane(await context.target(), "same padding");
    await lane.session.tables([sourceTable("padded", { id: ["character(5)", "text"] })]);
    await lane.close();
  });
});

describe("a name that PostgreSQL would cut", () => {
  const context = contractContext(openFixture);

  it("is refused before a table is made under another one", async () => {
    const lane = await openLane(await context.target({ schema: "managed" }), "long names");
    const schema = sourceTable("\u{e4}".repeat(32), {
      id: ["text", "text"],
      ["c".repeat(64)]: ["text", "text"],
    });
    const error = await rejection(lane.session.tables([schema]));
    expect(error).include({ code: "TARGET_NAME" });
    expect(String(error)).contain("\u{e4}").and.contain("ccc");
    const longest = sourceTable("n".repeat(63), { id: ["text", "text"] });
    await lane.session.tables([longest]);
    await lane.close();
  });
});
