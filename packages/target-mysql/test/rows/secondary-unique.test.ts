import { expect } from "chai";
import { key, openMysqlLane, rejection, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

describe("rows: secondary unique keys", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane()));
  after(() => lane.close());

  const notes = (name: string) =>
    schemaOf("mysql", name, {
      id: ["integer", "bigint(20)"],
      code: ["text", "longtext"],
      n: ["integer", "int(11)"],
    });

  it("doesn't update another row by a unique key over a long text, which MariaDB looks at before the primary key", async () => {
    await lane.fixture.run(
      "create table long_unique (id bigint primary key, code longtext unique, n int); insert into long_unique values (1, 'a', 1), (2, 'b', 2)",
    );
    const [table] = await lane.tables(notes("long_unique"));
    for (const rows of [[row("1", "b", "9")], [row("1", "b", "9"), row("3", "c", "3")]]) {
      const error = await rejection(lane.step((transaction) => transaction.upsert(table!, rows)));
      expect(lane.target.classify(error)).deep.include({ kind: "row", code: "TARGET_UNIQUE" });
    }
    expect(await lane.fixture.read("select * from long_unique order by id")).deep.equal([
      ["1", "a", "1"],
      ["2", "b", "2"],
    ]);
  });

  it("is not deceived by a unique key that was added after the lane read the catalog", async () => {
    await lane.fixture.run(
      "create table late_unique (id bigint primary key, code varchar(20), n int); insert into late_unique values (1, 'a', 1)",
    );
    const [table] = await lane.tables(notes("late_unique"));
    expect(table!.hasSecondaryUnique).equal(false);
    await lane.fixture.run("alter table late_unique add unique late (code)");
    const error = await rejection(
      lane.step((transaction) => transaction.upsert(table!, [row("2", "a", "9")])),
    );
    expect(lane.target.classify(error)).deep.equal({ kind: "row", code: "TARGET_UNIQUE", about: "late" });
    expect(await lane.fixture.read("select * from late_unique")).deep.equal([["1", "a", "1"]]);
  });

  const columns: readonly (readonly [type: string, a: string, b: string])[] = [
    ["varchar(20) null", "one", "two"],
    ["varchar(20) not null", "one", "two"],
    ["longtext not null", "one", "two"],
    ["int not null", "1", "2"],
    ["bigint unsigned not null", "1", "2"],
    ["smallint not null", "1", "2"],
    ["decimal(12,2) not null", "1.00", "2.00"],
    ["datetime(6) not null", "2026-01-01 00:00:00.000000", "2026-01-02 00:00:00.000000"],
    ["date not null", "2026-01-01", "2026-01-02"],
    ["double not null", "1", "2"],
    // Without spare values: the rows are removed and written anew.
    ["enum('a','b') not null", "a", "b"],
    ["tinyint(1) not null", "0", "1"],
    ["varchar(3) not null", "a", "b"],
    // A CHECK refuses the spare value.
    ["int not null check (code > 0)", "1", "2"],
  ];
  for (const [place, [type, a, b]] of columns.entries()) {
    it(`lets two rows swap a unique ${type}`, async () => {
      const name = `swap_${place}`;
      await lane.fixture.run(
        `create table ${name} (id bigint primary key, code ${type}, n int, unique (code)); insert into ${name} values (1, '${a}', 1), (2, '${b}', 2)`,
      );
      const [table] = await lane.tables(notes(name));
      await lane.step(async (transaction) => {
        await transaction.moveUniqueAside(table!, [key("1"), key("2")]);
        await transaction.upsert(table!, [row("1", b, "1"), row("2", a, "2")]);
      });
      expect(await lane.fixture.read(`select id, code from ${name} order by id`)).deep.equal([
        ["1", b],
        ["2", a],
      ]);
    });
  }

  it("moves rows aside whose primary key shares a column with the unique key", async () => {
    await lane.fixture.run(
      "create table shared (id bigint primary key, code varbinary(16) not null, n int not null, unique (id, code), unique (n, code)); insert into shared values (1, 'a', 1), (2, 'b', 1)",
    );
    const schema = schemaOf("mysql", "shared", {
      id: ["integer", "bigint(20)"],
      code: ["bytes", "varbinary(16)"],
      n: ["integer", "int(11)"],
    });
    const [table] = await lane.tables(schema);
    await lane.step(async (transaction) => {
      await transaction.moveUniqueAside(table!, [key("1"), key("2")]);
      await transaction.upsert(table!, [row("1", "62", "1"), row("2", "61", "1")]);
    });
    expect(await lane.fixture.read("select id, code from shared order by id")).deep.equal([
      ["1", "b"],
      ["2", "a"],
    ]);
  });
});
