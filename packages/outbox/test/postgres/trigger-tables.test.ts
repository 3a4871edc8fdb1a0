import { eventsOf } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { cellsOf, noteOf } from "../fixture/database.js";
import { liveMemory } from "../fixture/live-memory.js";
import { postgres } from "../fixture/postgres.js";
import { openTriggers, type TriggerSource } from "../fixture/triggers.js";

describe("triggers on tables of PostgreSQL that change, or are special", () => {
  let db: TriggerSource;
  const run = (sql: string, parameters?: readonly unknown[]) => db.session.run(sql, parameters);
  beforeEach(async () => {
    db = await openTriggers(postgres);
    await run("create table item (id int primary key, v text)");
  });
  afterEach(() => db.close());

  const images = async () => (await db.events()).map((event) => [event.op, event.image ?? event.key]);

  it("columns that come, go, are renamed or get another type are in the very next image", async () => {
    await db.install("item");
    await run("insert into item values (1, 'a')");
    await run("alter table item add column w int default 5");
    await run("update item set w = 6");
    await run("begin; alter table item add column x text; update item set x = 'x'; commit");
    await run("alter table item drop column v");
    await run("update item set w = 7");
    await run("alter table item rename column w to ww");
    await run("alter table item alter column ww type numeric(6,2)");
    await run("update item set ww = 8");
    await run("alter table item rename to thing");
    await run("update thing set id = 2");
    await run("delete from thing");
    expect(await images()).to.deep.equal([
      ["insert", '["1","a"]'],
      ["update", '["1","a","6"]'],
      ["update", '["1","a","6","x"]'],
      ["update", '["1","7","x"]'],
      ["update", '["1","8.00","x"]'],
      ["update", '["2","8.00","x"]'],
      ["update", '["2","8.00","x"]'],
      ["delete", '["2"]'],
    ]);
    expect(await db.install("thing")).to.deep.equal(["missing"]);
    expect(await db.findings("thing")).to.deep.equal([]);
  });

  for (const level of ["read committed", "repeatable read"]) {
    it(`the same in a session that keeps its plans, made under ${level.toUpperCase()}`, async () => {
      await db.install("item");
      const other = await db.source.session();
      const write = (sql: string) => other.run(`begin isolation level ${level}; ${sql}; commit`);
      await write("insert into item values (1, 'a')");
      for (let n = 0; n < 6; n++) await write(`update item set v = '${n}'`);
      await run("alter table item alter column v type int using v::int");
      await write("update item set v = 7");
      await run("alter table item rename column v to w");
      await other.run("update item set w = 8");
      await run("alter table item add column x text default 'x'");
      await write("update item set w = 9");
      await run("alter table item drop column w");
      await other.run("update item set x = 'y'");
      await run("alter table item drop constraint item_pkey, add primary key (x)");
      await write("insert into item values (2, 'z')");
      const events = await db.events();
      expect(events.slice(-5).map(({ key, image }) => [key, image])).to.deep.equal([
        ['["1"]', '["1","7"]'],
        ['["1"]', '["1","8"]'],
        ['["1"]', '["1","9","x"]'],
        ['["1"]', '["1","y"]'],
        ['["z"]', '["2","z"]'],
      ]);
      expect(new Set(events.map(({ schema }) => schema)).size).to.equal(6);
    });
  }

  it("a table whose triggers are for another shape is found drifted, and mended without a lock on it", async () => {
    await db.install("item");
    await run("alter table item add column w int");
    expect(await db.findings("item")).to.deep.equal(["drifted"]);
    const writer = await db.source.session();
    await writer.run("begin; insert into item values (1, 'a', 2)");
    expect(await db.install("item")).to.deep.equal(["drifted"]);
    await writer.run("commit");
    expect(await db.findings("item")).to.deep.equal([]);
    expect(await images()).to.deep.equal([["insert", '["1","a","2"]']]);
  });

  it("a column added while a REPEATABLE READ transaction is open: its write is refused, never half captured", async () => {
    await db.install("item");
    await run("insert into item values (1, 'a')");
    const other = await db.source.session();
    await other.run("begin isolation level repeatable read; select 1");
    await run("alter table item add column w int default 7");
    const error = await other.run("insert into item values (2, 'b')").catch((e: unknown) => e);
    expect((error as { code?: string }).code).to.equal("40001");
    await other.run("rollback");
  });

  it("partitioned tables: through the parent and by the partition's own name, rows that move, partitions made later", async () => {
    await run(
      "create table sale (id int, region text, n int, primary key (id, region)) partition by list (region)",
    );
    await run("create table sale_a partition of sale for values in ('a')");
    await run("create table sale_b (n int, region text not null, id int not null)");
    await run("alter table sale attach partition sale_b for values in ('b')");
    await db.install("sale");
    expect(await db.findings("sale")).to.deep.equal([]);
    await run("insert into sale values (1, 'a', 1), (2, 'b', 2)");
    await run("insert into sale_b (id, region, n) values (3, 'b', 3)");
    await run("update sale set region = 'b' where id = 1");
    await run("create table sale_c partition of sale for values in ('c')");
    await run("insert into sale_c values (4, 'c', 4)");
    await run("update sale set id = 5 where id = 4");
    await run("delete from sale_b where id = 3");
    const rows = new Map<string, string>();
    const events = await db.events();
    for (const { key, before, op, image } of events) {
      if (before !== undefined) rows.delete(before);
      if (op === "delete") rows.delete(key);
      else rows.set(key, image!);
    }
    expect([...rows.values()].sort()).to.deep.equal(['["1","b","1"]', '["2","b","2"]', '["5","c","4"]']);
    expect(new Set(events.map(({ table }) => table.name))).to.deep.equal(new Set(["sale"]));
    expect(events.at(-2)).to.include({ before: '["4","c"]', key: '["5","c"]' });
    await run("truncate sale");
    expect((await db.changes())[0]).to.equal("t []");
  });

  it("partitioned tables that are renamed, and another one under the old name", async () => {
    await run("create table sale (id int primary key, v text) partition by range (id)");
    await run("create table sale_1 partition of sale for values from (1) to (10)");
    await db.install("sale");
    await run("insert into sale values (1, 'a')");
    await run('alter table sale rename to "old Sale"');
    await run(`update "old Sale" set v = 'b'`);
    await run("create table sale (id int primary key, v text)");
    await run("insert into sale_1 values (2, 'c')");
    await run('alter table "old Sale" add column w int');
    await run(`delete from "old Sale" where id = 2; truncate "old Sale"`);
    const events = await db.events();
    expect(events.map((event) => [event.op, event.table.name, event.image ?? event.key])).to.deep.equal([
      ["insert", "sale", '["1","a"]'],
      ["update", "old Sale", '["1","b"]'],
      ["insert", "old Sale", '["2","c"]'],
      ["delete", "old Sale", '["2"]'],
      ["truncate", "old Sale", "[]"],
    ]);
    expect(await db.install("old Sale")).to.deep.equal(["missing"]);
    expect(await db.findings("old Sale")).to.deep.equal([]);
  });

  it("TRUNCATE of one partition is refused, that of the whole table is not", async () => {
    await run("create table year (id int primary key) partition by range (id)");
    await run("create table year_1 partition of year for values from (1) to (10)");
    await db.install("year");
    await run("insert into year values (1)");
    const error = await run("truncate year_1").catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Error);
    await run("create table year_2 partition of year for values from (10) to (20)");
    expect(await db.install("year")).to.deep.equal(["drifted"]);
    expect(await db.findings("year")).to.deep.equal([]);
    await run("begin; truncate year; insert into year values (12); commit");
    expect(await run("truncate year_2").catch((e: unknown) => e)).to.be.instanceOf(Error);
    expect(await db.changes()).to.deep.equal(['i ["1"]', "t []", 'i ["12"]']);
  });

  it("deferred constraints: what waited for another transaction at its commit comes after it", async () => {
    await run("create table slot (id int primary key deferrable initially deferred, v text)");
    await db.install("slot");
    await run("insert into slot values (1, 'old')");
    const [other, watcher] = [await db.source.session(), await db.source.session()];
    await run("begin; delete from slot where id = 1");
    await other.run("begin; insert into slot values (1, 'new')");
    const committed = other.run("commit");
    await eventually(() => db.source.someoneWaits(watcher), { what: "a COMMIT that waits" });
    await run("insert into slot values (2, 'late'); commit");
    await committed;
    const rows = new Map<string, string>();
    for (const { key, op, image } of await db.events()) {
      if (op === "delete") rows.delete(key);
      else if (op !== "barrier") rows.set(key, image!);
    }
    expect([...rows.values()].sort()).to.deep.equal(['["1","new"]', '["2","late"]']);
  });

  it("images are the flush's, byte for byte, whatever the session's settings are", async () => {
    await run("create type mood as enum ('so so', 'ü')");
    await run(`create table all_types (id bigint, at timestamptz, a numeric, b float4, c float8, d char(6), e bytea, f bit(5), g jsonb, h json, i date, j time(3),
      k timestamp, l interval, m money, n inet, o text[], p tstzrange, q mood, r cidr, s int generated always as (f::int) stored, primary key (id, at))`);
    await db.install("all_types");
    for (const setting of [
      "datestyle = 'SQL, DMY'",
      "timezone = 'Asia/Kathmandu'",
      "intervalstyle = 'sql_standard'",
      "extra_float_digits = -15",
      "bytea_output = 'escape'",
      "search_path = public, pg_catalog",
    ])
      await run(`set ${setting}`);
    await run(`insert into all_types values (9223372036854775807, '2026-07-04 05:06:07.891011+02', 1.10, 0.1, 0.1::float8 + 0.2, 'ab', '\\xDEAD00', B'01010',
      '{"b": 9007199254740993}', '{"b":1,  "b":2}', 'infinity', '01:02:03.4', '2026-03-04 05:06:07.891011', '1 year 2 days 03:04:05.6', 1234.5::numeric::money, '192.168.1.1',
      array['a,b', null, 'c"d'], '[2026-07-04 05:06:07+02,)', 'ü', '10.0.0.0/8')`);
    await run("insert into all_types (id, at) values (1, '0044-03-15 12:00:00+00 BC')");
    const written = await db.events();
    const other = await db.source.session();
    const table = { namespace: "public", name: "all_types" };
    await other.transaction(
      written.map(({ key }) => ({ ...noteOf(table, "update", ""), key: JSON.parse(key) as string[] })),
    );
    const flushed = await db.events();
    expect(flushed.map(({ key, image, schema }) => [key, image, schema])).to.deep.equal(
      written.map(({ key, image, schema }) => [key, image, schema]),
    );
    expect(cellsOf(written[1]).slice(2)).to.deep.equal(Array(19).fill(null));
  });

  it("columns that are computed when they are read", async () => {
    const [version] = await run("select current_setting('server_version_num')::int as n");
    const kind = Number(version!["n"]) >= 180_000 ? "virtual" : "stored";
    await run(`create table sum (id int primary key, a int, b int generated always as (a + 1) ${kind})`);
    await db.install("sum");
    await run("insert into sum values (1, 1); update sum set a = 5");
    expect(await images()).to.deep.equal([
      ["insert", '["1","1","2"]'],
      ["update", '["1","5","6"]'],
    ]);
  });

  it("100,000 rows in one statement are one transaction, and reading them takes little memory", async () => {
    await db.install("item");
    await run("insert into item select n, repeat('x', 200) from generate_series(1, 100000) n");
    const cut = await db.log.cut();
    expect(cut?.events).to.equal(100_000);
    let seen = 0;
    let ends = 0;
    const before = liveMemory();
    let most = 0;
    for await (const page of db.log.read("0-0")) {
      const events = eventsOf(page);
      seen += events.length;
      ends += events.filter(({ endsTransaction }) => endsTransaction).length;
      if (seen % 20_000 < events.length) most = Math.max(most, liveMemory() - before);
    }
    expect([seen, ends]).to.deep.equal([100_000, 1]);
    expect(most / 2 ** 20).to.be.lessThan(30);
  });

  it("a long transaction elsewhere holds nothing up", async () => {
    await db.install("item");
    const long = await db.source.session();
    await long.run("begin; insert into item values (1, 'long')");
    await run("insert into item values (2, 'short')");
    expect(await db.changes()).to.deep.equal(['i ["2"]']);
    await long.run("commit");
    expect(await db.changes()).to.deep.equal(['i ["1"]']);
  });
});
