import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { LogFollower, openWalSource, told, type WalSource } from "./wal-source.js";

describe("the write-ahead log: changes", () => {
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
  });
  afterEach(async () => {
    await source[Symbol.asyncDispose]();
  });

  it("gives what a transaction wrote, as one tick, in order", async () => {
    await source.sql("create table item (id bigint primary key, note text, ok boolean)");
    await source.install("item");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into item values (1, 'before', null)");
    await source.sql(`begin; insert into item values (2, E'a "quoted" \\\\ line\\n\\tand é 😀 \\x01', true), (3, '', false);
      update item set note = 'after' where id = 1; delete from item where id = 3; commit`);
    await source.sql("begin; insert into item values (9, 'never', true); rollback");
    const events = await follower.until(5);
    expect(events.map(told)).to.deep.equal([
      'insert ["1"] ["1","before",null]',
      'insert ["2"] ["2","a \\"quoted\\" \\\\ line\\n\\tand é 😀 \\u0001","true"]',
      'insert ["3"] ["3","","false"]',
      'update ["1"] ["1","after",null]',
      'delete ["3"]',
    ]);
    expect(events.map((e) => e.ordinal)).to.deep.equal([1, 1, 2, 3, 4]);
    expect(events.map((e) => e.endsTick)).to.deep.equal([true, false, false, false, true]);
    expect(events.map((e) => e.total)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(new Set(events.map((e) => e.transaction.id)).size).to.equal(2);
    expect(Math.abs(events[0]!.transaction.at - Date.now())).to.be.lessThan(60_000);
  });

  it("leaves to the server what comes while nobody waits, and takes it at one go", async () => {
    await source.sql("create table item (id bigint primary key)");
    await source.install("item");
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await log.register({ id: "00000000-0000-4000-8000-000000000001", name: "t", address: "a", partition: 0 });
    await source.sql("insert into item values (1)");
    await follower.until(1);
    for (const id of [2, 3, 4]) {
      await source.sql("insert into item values ($1)", [id]);
      const sent = `select 1 from pg_stat_replication where application_name like 'lockstep%' and sent_lsn >= pg_current_wal_lsn()`;
      await eventually(async () => (await source.sql(sent)).length > 0, { what: "what was sent" });
    }
    // The first of them was met by a socket that somebody had waited for.
    expect((await log.backlog()).events).to.be.lessThan(3);
    await follower.look();
    expect(follower.events.map((event) => event.key)).to.deep.equal(['["1"]', '["2"]', '["3"]', '["4"]']);
  });

  it("carries the old key when it changed, also of composite keys in another order than the columns", async () => {
    await source.sql("create table line (note text, b int, a text, primary key (a, b))");
    await source.install("line");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into line values ('x', 1, 'k')");
    await source.sql("update line set b = 2");
    await source.sql("update line set note = 'y'");
    await source.sql("delete from line");
    expect((await follower.until(4)).map(told)).to.deep.equal([
      'insert ["k","1"] ["x","1","k"]',
      'update ["k","2"] ["x","2","k"] from ["k","1"]',
      'update ["k","2"] ["y","2","k"]',
      'delete ["k","2"]',
    ]);
  });

  it("never loses a large value that an update left as it was", async () => {
    await source.sql("create table doc (id int primary key, n int, body text)");
    await source.sql("alter table doc alter body set storage external");
    const body = "0123456789".repeat(2_000);
    await source.install("doc");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into doc values (1, 1, $1)", [body]);
    await source.sql("update doc set n = 2");
    await source.sql("update doc set id = 5");
    const [, second, third] = await follower.until(3);
    expect(told(second!)).to.equal(`update ["1"] ["1","2","${body}"]`);
    expect(told(third!)).to.equal(`update ["5"] ["5","2","${body}"] from ["1"]`);
  });

  it("says that a cell is unknown where whole old rows aren't logged", async () => {
    await source.sql("create table doc (id int primary key, n int, body text)");
    await source.sql("alter table doc alter body set storage external");
    await source.install("doc");
    await source.sql("alter table doc replica identity default");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into doc values (1, 1, $1)", ["x".repeat(9_000)]);
    await source.sql("update doc set n = 2");
    const [, second] = await follower.until(2);
    expect(told(second!)).to.equal('update ["1"] ["1","2",0]');
  });

  it("gives a TRUNCATE of several tables, and what cascades from it", async () => {
    await source.sql("create table a (id int primary key); create table b (id int primary key references a)");
    await source.install("a", "b");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into a values (1)");
    await source.sql("truncate a cascade");
    const events = await follower.until(3);
    expect(events.slice(1).map(({ op, table }) => `${op} ${table.name}`)).to.have.members([
      "truncate a",
      "truncate b",
    ]);
    expect(events[1]!.tick).to.equal(events[2]!.tick);
  });

  it("names a renamed partitioned table anew, if the renaming transaction touches its partitions", async () => {
    await source.sql(`create table part (id int primary key) partition by range (id);
      create table part_1 partition of part for values from (0) to (10); create table part_2 partition of part for values from (10) to (20)`);
    await source.install("part");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into part values (1)");
    await source.sql("alter table part rename to first");
    // The server says a table's name once, and to it a partition is as it was: docs/capture.md has the way out.
    await source.sql("insert into first values (2)");
    await source.sql(
      "begin; alter table first rename to second; alter table second alter id set statistics -1; commit",
    );
    await source.sql("insert into second values (3), (13)");
    await follower.until(4);
    expect(follower.events.map(({ table, key }) => `${table.name} ${key}`)).to.deep.equal([
      'part ["1"]',
      'part ["2"]',
      'second ["3"]',
      'second ["13"]',
    ]);
  });

  it("says the same of a row as the outbox does, under the same schema", async () => {
    await source.sql(`create type mood as enum ('sad', 'ok'); create domain yes as boolean;
      create table v (id uuid primary key, flag boolean, yes yes, flags boolean[], n numeric(12,2), f float8, c char(5), b bytea, j json, jb jsonb, ts timestamp,
        tz timestamptz, d date, i interval, m mood, ms mood[], addr inet, money money, bits bit(3), r int4range, big bigint, rc regclass)`);
    const table = { namespace: "public", name: "v" };
    const [schema] = await source.writer.describe(source.sql, [table]);
    await source.install("v");
    const follower = await LogFollower.lead(source.log());
    const key = "00000000-0000-4000-8000-000000000001";
    await source.sql(`insert into v values ('${key}', true, false, '{t,f,NULL}', 12.5, 0.1::float8 + 0.2, 'ab', '\\x00ff', '{"a": 1, "a":2}', '{"a": 12345678901234567890.10}',
      '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00.123456+02', '0044-03-15 BC', '1 mon 2 days 03:00:00.5', 'ok', '{sad}', '10.0.0.1/8', 12.34, '101', '[1,5)', 9223372036854775807, 'v')`);
    await source.sql("begin");
    await source.writer.append(source.sql, [{ table, op: "update", key: [key] }], {});
    const [row] = await source.sql("select image, key, fingerprint from lockstep.outbox");
    await source.sql("rollback");
    const [event] = await follower.until(1);
    expect(JSON.parse(event!.image!)).to.deep.equal(JSON.parse(row!["image"]!));
    expect(event!.image).to.equal(row!["image"]);
    expect(event!.key).to.equal(row!["key"]);
    expect([event!.schema, row!["fingerprint"]]).to.deep.equal([schema!.fingerprint, schema!.fingerprint]);
  });

  it("gives what is written to a table named like the dollar quotes around it, and lets go of it", async () => {
    const name = "a$lockstep$b $fn$ $$ $lockstep";
    await source.sql(`create table "${name}" (id int primary key, "$lockstep$" text, "$fn$" text)`);
    await source.install(name);
    const follower = await LogFollower.lead(source.log());
    await source.sql(`insert into "${name}" values (1, 'a', 'b')`);
    expect((await follower.until(1)).map(told)).to.deep.equal(['insert ["1"] ["1","a","b"]']);
    await source.remove();
    await source.sql(`delete from "${name}"`);
  });

  it("takes rows that others write to the outbox in their place", async () => {
    await source.sql("create table item (id int primary key, note text)");
    const table = { namespace: "public", name: "item" };
    await source.writer.describe(source.sql, [table]);
    await source.install("item");
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into item values (1, 'one')");
    await source.sql("begin");
    await source.writer.append(source.sql, [{ table, op: "update", key: ["1"] }], { origin: "there" });
    await source.sql("update item set note = 'two'");
    await source.sql("commit");
    const events = await follower.until(3);
    expect(events.map(told)).to.deep.equal([
      'insert ["1"] ["1","one"]',
      'update ["1"] ["1","one"]',
      'update ["1"] ["1","two"]',
    ]);
    expect(events.map((e) => e.transaction.origin)).to.deep.equal([undefined, "there", "there"]);
  });

  it("takes a row of the outbox that packs several changes for those", async () => {
    await source.sql("create table item (id int primary key, note text)");
    const table = { namespace: "public", name: "item" };
    await source.writer.describe(source.sql, [table]);
    await source.sql("insert into item select n, 'a\tb' from generate_series(1, 20) n");
    await source.install("item");
    const follower = await LogFollower.lead(source.log());
    const keys = Array.from({ length: 20 }, (_, i) => [String(i + 1)]);
    await source.sql("begin");
    await source.writer.append(
      source.sql,
      keys.map((key) => ({ table, op: "update", key })),
      {},
    );
    expect(await source.sql("select op::text, key from lockstep.outbox")).to.deep.equal([
      { op: "p", key: "20" },
    ]);
    await source.sql("commit");
    const events = await follower.until(20);
    expect(events.map(told)).to.deep.equal(keys.map(([id]) => `update ["${id}"] ["${id}","a\\tb"]`));
    expect(events.map(({ ordinal, endsTransaction }) => [ordinal, endsTransaction])).to.deep.equal(
      keys.map((_, i) => [i + 1, i === 19]),
    );
  });

  it("keeps rows of the outbox that are for certain targets apart from what the transaction changed itself", async () => {
    await source.sql("create table item (id int primary key, note text)");
    const table = { namespace: "public", name: "item" };
    await source.writer.describe(source.sql, [table]);
    await source.install("item");
    const follower = await LogFollower.lead(source.log());
    await source.sql("begin");
    await source.sql("insert into item values (1, 'one')");
    const audience = ["mirror", "other"];
    await source.writer.append(source.sql, [{ table, op: "delete", key: ["7"] }], { audience });
    await source.sql("insert into item values (2, 'two')");
    await source.sql("commit");
    const events = await follower.until(3);
    expect(events.map((e) => [e.key, e.transaction.audience])).to.deep.equal([
      ['["1"]', undefined],
      ['["7"]', audience],
      ['["2"]', undefined],
    ]);
    expect(new Set(events.map((e) => e.transaction.id)).size).to.equal(1);
  });
});
