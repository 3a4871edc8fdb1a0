import { isLockstepError, type LoggedEvent } from "@lockstep/core";
import { expect } from "chai";
import { begin, type BinlogSource, cellsOf, endOf, openBinlogSource, readAll } from "./binlog-source.js";

/** What an event says, short. */
const told = ({ op, key, before, image }: LoggedEvent): string =>
  [op, key, before, image].filter((part) => part !== undefined).join(" ");

describe("transactions from the binlog", () => {
  let source: BinlogSource;
  beforeEach(async () => {
    source = await openBinlogSource();
    await source.run("create table item (id int primary key, note varchar(100))");
    await source.run("create table other (id int primary key, note varchar(100))");
    await source.run("create table plain (id int primary key) engine = MyISAM");
    await source.describe("item");
  });
  afterEach(() => source.close());

  it("come whole, in order, without what was rolled back", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    await run("begin");
    await run("insert into item values (1, 'a'), (2, 'b')");
    await run("insert into other values (1, 'unseen')");
    await run("update item set note = 'c' where id = 2");
    await run("commit");
    await run("begin");
    await run("insert into item values (3, 'gone')");
    await run("rollback");
    await run("update item set id = 5 where id = 1");
    await run("delete from item where id = 2");
    await run("create temporary table item2 (id int primary key)");
    await run("insert into item2 values (1)");
    const events = await readAll(log, start);
    expect(events.map(told)).to.deep.equal([
      'insert ["1"] ["1","a"]',
      'insert ["2"] ["2","b"]',
      'update ["2"] ["2","c"]',
      'update ["5"] ["1"] ["5","a"]',
      'delete ["2"]',
    ]);
    expect(events.map((event) => event.endsTransaction)).to.deep.equal([false, false, true, true, true]);
    expect(events.map((event) => event.endsTick)).to.deep.equal([false, false, true, true, true]);
    expect(events.map((event) => event.total)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(new Set(events.map((event) => event.tick)).size).to.equal(3);
    expect(events[0]!.transaction.id).to.match(/^0-\d+-\d+$/);
    expect(Math.abs(events[0]!.transaction.at - Date.now())).to.be.lessThan(60_000);
  });

  it("leave out what a savepoint took back, also where the log holds it", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    await run("begin");
    await run("insert into item values (1, 'a')");
    await run("savepoint `one two`");
    await run("insert into item values (2, 'gone')");
    // A table without transactions: from here on the log keeps what is rolled back, and says so.
    await run("insert into plain values (1)");
    await run("rollback to `one two`");
    await run("insert into item values (3, 'c')");
    await run("commit");
    await run("begin");
    await run("insert into item values (4, 'gone')");
    await run("insert into plain values (2)");
    await run("rollback");
    expect((await readAll(log, start)).map(told)).to.deep.equal([
      'insert ["1"] ["1","a"]',
      'insert ["3"] ["3","c"]',
    ]);
  });

  it("can be read from any position on, in any pages, always the same", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    for (let i = 0; i < 10; i++) {
      await run("begin");
      await run(`insert into item select ${i} * 100 + seq, repeat('x', 50) from seq_1_to_20`);
      await run(`update other set id = id where id = 1`);
      await run("commit");
      if (i === 4) await run("flush binary logs");
    }
    const all = await readAll(log, start);
    expect(all.length).to.equal(200);
    for (const at of [0, 7, 19, 20, 99, 100, 150, 198]) {
      const rest = await readAll(source.log(), endOf(all.slice(0, at + 1)), 1 + (at % 7));
      expect(rest).to.deep.equal(all.slice(at + 1));
      expect(await readAll(log, endOf(all.slice(0, at + 1)))).to.deep.equal(all.slice(at + 1));
    }
    expect(await readAll(log, endOf(all))).to.deep.equal([]);
  });

  it("have the same positions and counts after marks were made in between", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    const all: LoggedEvent[] = [];
    for (let i = 0; i < 5; i++) {
      await run(`insert into item select ${i} * 100 + seq, 'x' from seq_1_to_3`);
      all.push(...(await readAll(log, all.length === 0 ? start : endOf(all))));
      await log.prune();
    }
    expect(all.map(({ total }) => total)).to.deep.equal(all.map((_, i) => i + 1));
    const another = source.log();
    expect(await readAll(another, start)).to.deep.equal(all);
    expect(await readAll(another, endOf(all.slice(0, 7)))).to.deep.equal(all.slice(7));
  });

  it("name who wrote them when a checkpoint of Lockstep moved with them", async () => {
    const { run } = source;
    await run(
      "create table lockstep_checkpoint (source varchar(255), part int, position varchar(41), primary key (source, part))",
    );
    await run("insert into lockstep_checkpoint values ('elsewhere', 0, '0-0')");
    const log = source.log();
    const start = await begin(log);
    await run("begin");
    await run("update lockstep_checkpoint set position = '1-1'");
    await run("insert into item values (1, 'a')");
    await run("commit");
    await run("insert into item values (2, 'b')");
    const events = await readAll(log, start);
    expect(events.map(({ transaction }) => transaction.origin)).to.deep.equal(["elsewhere", undefined]);
  });

  it("hold what is written to the outbox, in its place", async () => {
    const { run } = source;
    const [schema] = await source.describe("item");
    const log = source.log();
    const start = await begin(log);
    await run("insert into item values (1, 'a')");
    await run(
      `insert into lockstep_outbox (at, op, fingerprint, row_key, image, origin, audience) values (now(), 's', '${schema!.fingerprint}', '["7"]', '["7","é"]', 'me', 'a b')`,
    );
    await run("delete from item");
    const events = await readAll(log, start);
    expect(events.map(told)).to.deep.equal([
      'insert ["1"] ["1","a"]',
      'snapshot ["7"] ["7","é"]',
      'delete ["1"]',
    ]);
    expect(events[1]!.transaction.origin).to.equal("me");
    expect(events.map(({ transaction }) => transaction.audience)).to.deep.equal([
      undefined,
      ["a", "b"],
      undefined,
    ]);
    expect(events[1]!.table).to.deep.equal({ namespace: source.namespace, name: "item" });
  });

  it("are captured from where their table was described", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    await run("insert into other values (1, 'before')");
    await run("insert into item values (1, 'a')");
    const before = await readAll(log, start);
    await source.describe("other");
    await run("insert into other values (2, 'after')");
    expect(before.map(told)).to.deep.equal(['insert ["1"] ["1","a"]']);
    expect((await readAll(log, endOf(before))).map(told)).to.deep.equal(['insert ["2"] ["2","after"]']);
  });

  it("are read across ALTER TABLE as they were, each with its own schema", async () => {
    const { run } = source;
    const log = source.log();
    const start = await begin(log);
    await run("insert into item values (1, 'a')");
    await run(
      "alter table item add column n tinyint(1) not null default 7 after id, modify note varchar(50) character set latin1",
    );
    await run("insert into item values (2, 1, 'é')");
    await run(
      "alter table item drop column note, add column made timestamp(3) not null default '2026-01-01 00:00:00'",
    );
    await run("insert into item (id, n) values (3, 1)");
    await run("alter table item change n m bigint unsigned not null");
    await run("update item set m = 18446744073709551615 where id = 3");
    const events = await readAll(log, start);
    expect(events.map((event) => cellsOf(event).length)).to.deep.equal([2, 3, 3, 3]);
    const schemas = new Map((await log.schemas()).map((schema) => [schema.fingerprint, schema]));
    expect(
      events.map((event) => schemas.get(event.schema)!.columns.map(({ name, type }) => `${name} ${type}`)),
    ).to.deep.equal([
      ["id int(11)", "note varchar(100)"],
      ["id int", "n tinyint", "note varchar(50)"],
      ["id int", "n tinyint", "made timestamp(3)"],
      ["id int(11)", "m bigint(20) unsigned", "made timestamp(3)"],
    ]);
    expect(cellsOf(events[1])).to.deep.equal(["2", "1", "é"]);
    expect(cellsOf(events[3])[1]).to.equal("18446744073709551615");
    expect((await readAll(source.log(), start)).map(({ schema }) => schema)).to.deep.equal(
      events.map(({ schema }) => schema),
    );
  });

  it("hold a TRUNCATE, and what removes rows unseen is said aloud", async () => {
    const { run } = source;
    const said: unknown[] = [];
    const logger = { error: (fields: unknown) => void said.push(fields), warn() {}, info() {}, debug() {} };
    const log = source.log({ logger: logger as never });
    const start = await begin(log);
    await run("insert into item values (1, 'a')");
    await run("truncate table item");
    await run(`/* comment */ truncate ${source.namespace}.item`);
    await run("truncate other");
    await run("create or replace table item (id int primary key, note varchar(100))");
    await run("rename table item to thing, thing to item");
    await run("drop table item, other");
    expect((await readAll(log, start)).map(told)).to.deep.equal([
      'insert ["1"] ["1","a"]',
      "truncate []",
      "truncate []",
    ]);
    const item = `${source.namespace}.item`;
    expect(said.map((fields) => (fields as { tables: string[] }).tables)).to.deep.equal([
      [item],
      [item, item],
      [item],
    ]);
  });

  it("keep cells that a session left out as not known", async () => {
    const { run } = source;
    const log = source.log();
    await run("insert into item values (1, 'a')");
    const start = await begin(log);
    await run("set session binlog_row_image = minimal");
    await run("update item set note = 'b'");
    await run("update item set id = 2");
    await run("delete from item");
    const events = await readAll(log, start);
    expect(events.map(({ op, key, before }) => [op, key, before])).to.deep.equal([
      ["update", '["1"]', undefined],
      ["update", '["2"]', '["1"]'],
      ["delete", '["2"]', undefined],
    ]);
    expect(events.slice(0, 2).map(cellsOf)).to.deep.equal([
      ["1", "b"],
      ["2", 0],
    ]);
  });

  const unreadable: readonly (readonly [what: string, ...statements: string[]])[] = [
    [
      "a session that logs statements",
      "set session binlog_format = statement",
      "insert into item values (1, 'a')",
    ],
    [
      "a transaction that was prepared",
      "xa start 'x'",
      "insert into item values (1, 'a')",
      "xa end 'x'",
      "xa prepare 'x'",
      "xa commit 'x'",
    ],
    [
      "an insert whose defaults the log leaves out",
      "alter table item alter note set default 'a default'",
      "set session binlog_row_image = minimal",
      "insert into item (id) values (1)",
    ],
    [
      "an update that leaves out what the server computes",
      "alter table item add column n int default 1, add column twice int generated always as (n * 2) virtual",
      "insert into item (id) values (1)",
      "set session binlog_row_image = minimal",
      "update item set n = 2",
    ],
    ["a table that lost its key", "alter table item drop primary key", "insert into item values (1, 'a')"],
  ];
  for (const [what, ...statements] of unreadable) {
    it(`are not guessed: ${what} stops the reader with a word`, async () => {
      const log = source.log();
      const start = await begin(log);
      for (const statement of statements) await source.run(statement);
      const error: unknown = await readAll(log, start).catch((error: unknown) => error);
      expect(isLockstepError(error, "CAPTURE_LOG_UNREADABLE")).to.equal(true);
    });
  }

  it("of XA that commit in one phase are like any other", async () => {
    const log = source.log();
    const start = await begin(log);
    for (const statement of [
      "xa start 'x'",
      "insert into item values (1, 'a')",
      "xa end 'x'",
      "xa commit 'x' one phase",
    ])
      await source.run(statement);
    expect((await readAll(log, start)).map(told)).to.deep.equal(['insert ["1"] ["1","a"]']);
  });
});
