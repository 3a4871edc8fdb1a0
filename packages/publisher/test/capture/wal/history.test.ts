import { expect } from "chai";
import { eventually } from "@lockstep/testing";
import { LogFollower, openWalSource, told, type WalSource } from "./wal-source.js";

describe("the write-ahead log: tables that change", () => {
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create type mood as enum ('sad')");
    await source.sql("create table item (id int primary key, note text not null, mood mood)");
    await source.install("item");
  });
  afterEach(async () => {
    await source[Symbol.asyncDispose]();
  });

  const columnsOf = async (fingerprints: Iterable<string>): Promise<Record<string, string[]>> => {
    const schemas = await source.log().schemas();
    return Object.fromEntries(
      [...new Set(fingerprints)].map((fingerprint, n) => [
        n,
        schemas
          .find((s) => s.fingerprint === fingerprint)!
          .columns.map((c) => `${c.name} ${c.type}${c.nullable ? "" : "!"}`),
      ]),
    );
  };

  it("reads each change under the columns it was written with, also when it reads long after", async () => {
    const log = source.log();
    const start = await log.top();
    await source.sql("insert into item values (1, 'a', 'sad')");
    await source.sql("alter table item add column extra numeric(10,2) not null default 7");
    await source.sql("insert into item values (2, 'b', null, 1.5)");
    await source.sql("alter type mood add value 'glad'");
    await source.sql("update item set mood = 'glad' where id = 2");
    await source.sql("alter table item drop column note");
    await source.sql("insert into item values (3, 'sad', 2)");
    await source.sql("alter table item rename column id to number");
    await source.sql("alter table item alter column extra type bigint");
    await source.sql("delete from item where number = 1");
    await source.sql("update item set number = 4 where number = 3");
    await source.sql("alter table item rename to thing");
    await source.sql("insert into thing values (5, null, 9)");
    const follower = await LogFollower.lead(log, start);
    const events = await follower.until(7);
    expect(events.map((e) => `${e.table.name} ${told(e)}`)).to.deep.equal([
      'item insert ["1"] ["1","a","sad"]',
      'item insert ["2"] ["2","b",null,"1.50"]',
      'item update ["2"] ["2","b","glad","1.50"]',
      'item insert ["3"] ["3","sad","2.00"]',
      'item delete ["1"]',
      'item update ["4"] ["4","sad","2"] from ["3"]',
      'thing insert ["5"] ["5",null,"9"]',
    ]);
    expect(Object.values(await columnsOf(events.map((e) => e.schema)))).to.deep.equal([
      ["id integer", "note text", "mood mood"].map((c) => c.replace("mood mood", "mood public.mood")),
      ["id integer", "note text", "mood public.mood", "extra numeric(10,2)!"],
      ["id integer", "mood public.mood", "extra numeric(10,2)!"],
      ["number integer!", "mood public.mood", "extra bigint!"],
      ["number integer!", "mood public.mood", "extra bigint!"],
    ]);
  });

  it("follows a table while it is altered", async () => {
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into item values (1, 'a', null)");
    await follower.until(1);
    await source.sql(
      "begin; insert into item values (2, 'b', null); alter table item add column c text; insert into item values (3, 'c', null, 'x'); commit",
    );
    await source.sql("alter table item alter column note drop not null");
    await source.sql("insert into item values (4, null, null, 'y')");
    const events = await follower.until(4);
    expect(events.map(told)).to.deep.equal([
      'insert ["1"] ["1","a",null]',
      'insert ["2"] ["2","b",null]',
      'insert ["3"] ["3","c",null,"x"]',
      'insert ["4"] ["4",null,null,"y"]',
    ]);
    // Nullability is the catalog's of the moment when a change is read.
    const names = Object.values(await columnsOf(events.map((e) => e.schema))).map((columns) =>
      columns.map((c) => c.split(" ")[0]).join(),
    );
    expect([...new Set(names)]).to.deep.equal(["id,note,mood", "id,note,mood,c"]);
  });

  it("knows the key of a table that was dropped since", async () => {
    const log = source.log();
    const start = await log.top();
    await source.sql("insert into item values (1, 'a', null)");
    await source.sql("delete from item");
    await source.sql("drop table item");
    const events = await (await LogFollower.lead(log, start)).until(2);
    expect(events.map(told)).to.deep.equal(['insert ["1"] ["1","a",null]', 'delete ["1"]']);
  });

  for (const kind of ["stored", "virtual"] as const) {
    it(`leaves ${kind} generated columns out, in backfilled rows too, or has them where the server sends them`, async () => {
      const [{ v }] = (await source.sql("select current_setting('server_version_num') as v")) as [
        { v: string },
      ];
      const isNew = Number(v) >= 180_000;
      // Before PostgreSQL 18 all are stored.
      await source.sql(
        `create table sum (id int primary key, a int, twice int generated always as (a * 2) ${isNew ? kind : "stored"}, b int)`,
      );
      const table = { namespace: "public", name: "sum" };
      await source.writer.describe(source.sql, [table]);
      await source.install("sum");
      const follower = await LogFollower.lead(source.log());
      await source.sql("insert into sum (id, a, b) values (1, 5, 6)");
      await source.sql("begin");
      await source.writer.append(source.sql, [{ table, op: "update", key: ["1"] }], {});
      await source.sql("commit");
      const [own, backfilled] = await follower.until(2);
      const image = isNew && kind === "stored" ? '["1","5","10","6"]' : '["1","5","6"]';
      expect([own!.image, backfilled!.image]).to.deep.equal([image, image]);
      expect(own!.schema).to.equal(backfilled!.schema);
    });
  }

  it("names a partitioned table's changes after the table", async () => {
    await source.sql(
      "create table part (id int, at date, body text, primary key (id, at)) partition by range (at)",
    );
    await source.sql(
      "create table part_1 partition of part for values from ('2024-01-01') to ('2025-01-01')",
    );
    await source.sql("alter table part_1 alter body set storage external");
    await source.install("part");
    expect((await source.plan("part")).findings).to.deep.equal([]);
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into part values (1, '2024-05-05', $1)", ["x".repeat(5_000)]);
    await source.sql("update part set id = 2");
    await source.sql("delete from part");
    await source.sql(
      "create table part_2 partition of part for values from ('2025-01-01') to ('2026-01-01')",
    );
    await source.sql("insert into part values (3, '2024-05-05', 'moves')");
    await source.sql("update part set at = '2025-05-05'");
    await source.sql("truncate part");
    const events = await follower.until(7);
    expect(events.map((e) => [e.table.name, e.op, e.key, e.before])).to.deep.equal([
      ["part", "insert", '["1","2024-05-05"]', undefined],
      ["part", "update", '["2","2024-05-05"]', '["1","2024-05-05"]'],
      ["part", "delete", '["2","2024-05-05"]', undefined],
      ["part", "insert", '["3","2024-05-05"]', undefined],
      ["part", "delete", '["3","2024-05-05"]', undefined],
      ["part", "insert", '["3","2025-05-05"]', undefined],
      ["part", "truncate", "[]", undefined],
    ]);
    expect(events[1]!.image).to.equal(`["2","2024-05-05","${"x".repeat(5_000)}"]`);
  });

  it("marks what Lockstep itself writes into a database that is a source and a target", async () => {
    await source.sql(
      "create table lockstep.checkpoint (source text, partition int, position text, primary key (source, partition))",
    );
    await source.sql("insert into lockstep.checkpoint values ('elsewhere', 0, '0-0')");
    expect((await source.plan("item")).findings.map(({ message }) => message)).to.deep.equal([
      "not published: lockstep.checkpoint",
    ]);
    await source.install("item");
    const follower = await LogFollower.lead(source.log());
    await source.sql(
      "begin; update lockstep.checkpoint set position = '1-1'; insert into item values (1, 'applied', null); commit",
    );
    await source.sql("insert into item values (2, 'own', null)");
    const events = await follower.until(2);
    expect(events.map((e) => [e.key, e.transaction.origin])).to.deep.equal([
      ['["1"]', "elsewhere"],
      ['["2"]', undefined],
    ]);
  });

  it("does not wait for a long transaction of somebody else", async () => {
    const follower = await LogFollower.lead(source.log());
    const long = await source.connect();
    await long.query("begin");
    await long.query("insert into item values (1, 'long', null)");
    await source.sql("insert into item values (2, 'short', null)");
    expect((await follower.until(1)).map((e) => e.key)).to.deep.equal(['["2"]']);
    await long.query("commit");
    expect((await follower.until(2)).map((e) => e.key)).to.deep.equal(['["2"]', '["1"]']);
    await eventually(async () => {
      await follower.look();
      return true;
    });
    expect(follower.events).to.have.length(2);
  });
});
