import { expect } from "chai";
import { key, openMysqlLane, rejection, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

const people = (name: string) =>
  schemaOf("mysql", name, { id: ["integer", "bigint(20)"], boss: ["integer", "bigint(20)"] });

describe("rows: self-referencing tables", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane()));
  after(() => lane.close());

  const create = (name: string, rest = "") =>
    lane.fixture.run(
      `create table ${name} (id bigint primary key, boss bigint null, constraint ${name}_boss foreign key (boss) references ${name} (id) ${rest})`,
    );

  it("writes a chain of a thousand rows whatever order they come in, and removes it again", async () => {
    await create("chain");
    const [table] = await lane.tables(people("chain"));
    expect(table!.selfReferencing).equal(true);
    expect(table!.parents).deep.equal([]);
    const ids = Array.from({ length: 1000 }, (_, n) => n + 1);
    const rows = ids.map((id) => row(String(id), id === 1000 ? null : String(id + 1)));
    await lane.step((transaction) => transaction.upsert(table!, rows));
    expect(await lane.fixture.read("select count(*) from chain")).deep.equal([["1000"]]);
    const shuffled = ids.toSorted((a, b) => ((a * 7919) % 1009) - ((b * 7919) % 1009));
    await lane.step((transaction) =>
      transaction.remove(
        table!,
        shuffled.map((id) => key(String(id))),
      ),
    );
    expect(await lane.fixture.read("select count(*) from chain")).deep.equal([["0"]]);
  });

  it("writes and removes rows that point to each other and to themselves", async () => {
    await create("ring");
    const [table] = await lane.tables(people("ring"));
    const rows = [row("1", "2"), row("2", "3"), row("3", "1"), row("4", "1"), row("5", "5")];
    await lane.step((transaction) => transaction.upsert(table!, rows));
    expect(await lane.fixture.read("select id, boss from ring order by id")).deep.equal(
      rows.map(({ image }) => [...image]),
    );
    await lane.step((transaction) =>
      transaction.remove(
        table!,
        rows.map((r) => r.key),
      ),
    );
    expect(await lane.fixture.read("select * from ring")).deep.equal([]);
  });

  it("empties a table that references itself, and leaves the checks on", async () => {
    await create("emptied");
    const [table] = await lane.tables(people("emptied"));
    await lane.step((transaction) => transaction.upsert(table!, [row("1", "2"), row("2", "1")]));
    await lane.step((transaction) => transaction.truncate(table!));
    expect(await lane.fixture.read("select * from emptied")).deep.equal([]);
    const error = await rejection(lane.step((transaction) => transaction.upsert(table!, [row("1", "7")])));
    expect(lane.target.classify(error)).deep.equal({
      kind: "row",
      code: "TARGET_FOREIGN_KEY",
      about: "emptied_boss",
    });
  });

  for (const action of ["cascade", "set null"]) {
    it(`removes a tree with ON DELETE ${action.toUpperCase()} whole, and refuses a part of it`, async () => {
      const name = `tree_${action.replace(" ", "_")}`;
      await create(name, `on delete ${action}`);
      const [table] = await lane.tables(people(name));
      const rows = [row("1", null), row("2", "1"), row("3", "2")];
      await lane.step((transaction) => transaction.upsert(table!, rows));
      const error = await rejection(
        lane.step((transaction) => transaction.remove(table!, [key("1"), key("2")])),
      );
      expect(lane.target.classify(error)).deep.equal({
        kind: "row",
        code: "TARGET_WOULD_CASCADE",
        about: `${name}_boss`,
      });
      expect(await lane.fixture.read(`select count(*) from ${name}`)).deep.equal([["3"]]);
      await lane.step((transaction) => transaction.remove(table!, [key("1"), key("2"), key("3")]));
      expect(await lane.fixture.read(`select count(*) from ${name}`)).deep.equal([["0"]]);
    });
  }

  it("refuses a key change that a foreign key would carry on", async () => {
    await create("moving", "on update cascade");
    await lane.fixture.run(
      "create table moving_child (id bigint primary key, p bigint, constraint carried foreign key (p) references moving (id) on update cascade)",
    );
    const [table] = await lane.tables(people("moving"));
    await lane.step((transaction) => transaction.upsert(table!, [row("1", null)]));
    await lane.fixture.run("insert into moving_child values (1, 1)");
    const error = await rejection(
      lane.step((transaction) => transaction.upsert(table!, [{ ...row("2", null), before: key("1") }])),
    );
    expect(lane.target.classify(error)).deep.equal({
      kind: "row",
      code: "TARGET_WOULD_CASCADE",
      about: "carried",
    });
    expect(await lane.fixture.read("select p from moving_child")).deep.equal([["1"]]);
  });
});
