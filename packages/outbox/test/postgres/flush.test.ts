import { isLockstepError, type ChangeLog, type RowNote } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { postgresOutboxWriter } from "../../src/index.js";
import {
  cellsOf,
  cutAll,
  keyOf,
  noteOf,
  readAll,
  type Session,
  type SourceDatabase,
} from "../fixture/database.js";
import { dollarColumns, dollars } from "../fixture/dollars.js";
import { postgres } from "../fixture/postgres.js";

const causeCode = (error: unknown): unknown =>
  isLockstepError(error, "OUTBOX_WRITE_FAILED") && error.cause instanceof Error && "code" in error.cause
    ? error.cause.code
    : error;

describe("the flush on PostgreSQL", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;
  const items: RowNote["table"] = { namespace: "public", name: "item" };

  beforeEach(async () => {
    db = await postgres.open();
    app = await db.session();
    log = db.log();
    await app.run("create table item (id int primary key, n int)");
    await db.writer.describe(app.run, [items]);
  });
  afterEach(() => db.drop());

  const failureOf = (notes: readonly RowNote[]): Promise<unknown> =>
    db.writer.append(app.run, notes, {}).then(
      () => undefined,
      (error: unknown) => causeCode(error),
    );

  it("goes on when the transaction in which a table was first described is rolled back", async () => {
    await app.run("create table late (id int primary key)");
    const late = { namespace: "public", name: "late" };
    await app.run("begin");
    await db.writer.describe(app.run, [late], { inTransaction: true });
    await app.run("rollback");
    await app.run("begin");
    await app.run("insert into late values (1)");
    expect(await failureOf([noteOf(late, "insert", 1)])).to.equal(undefined);
    await app.run("commit");
  });

  it("reads tables and columns that are named like the dollar quotes around them", async () => {
    const table = { namespace: "public", name: dollars };
    const cells = dollarColumns.map((_, n) => `'${n}'`).join(", ");
    await app.run(
      `create table "${dollars}" (id int primary key, ${dollarColumns.map((c) => `"${c}" text`).join(", ")})`,
    );
    await db.writer.describe(app.run, [table]);
    const made = await app.run("select proname from pg_proc where proname ~ '^(rows?|keeps)_[0-9a-f]{16}$'");
    expect(made).to.have.length(8);
    const insert = (ids: readonly number[]) => () =>
      app.run(`insert into "${dollars}" values ${ids.map((id) => `(${id}, ${cells})`).join(", ")}`);
    await app.transaction([noteOf(table, "insert", 1)], insert([1]));
    await app.transaction([noteOf(table, "insert", 2), noteOf(table, "insert", 3)], insert([2, 3]));
    await cutAll(log);
    const events = await readAll(log);
    const expected = dollarColumns.map((_, n) => String(n));
    expect(events.map(cellsOf)).to.deep.equal(["1", "2", "3"].map((id) => [id, ...expected]));
  });

  it("checks deferred constraints first, so that a flushed transaction can commit", async () => {
    await app.run(
      "create table child (id int primary key, item int references item deferrable initially deferred)",
    );
    const child = { namespace: "public", name: "child" };
    await app.run("begin");
    await app.run("insert into child values (1, 9)");
    expect(await failureOf([noteOf(child, "insert", 1)])).to.equal("23503");
  });

  it("runs deferred triggers before it reads, with the application's search_path", async () => {
    await app.run("create schema elsewhere");
    await app.run("create table elsewhere.bonus (n int)");
    await app.run("insert into elsewhere.bonus values (41)");
    await app.run(`create function elsewhere.set_n() returns trigger language plpgsql as
      $$ begin update item set n = (select b.n from bonus b) where id = new.id and n is null; return null; end $$`);
    await app.run(`create constraint trigger late after insert on item deferrable initially deferred
      for each row execute function elsewhere.set_n()`);
    await app.run("set search_path = public, elsewhere");
    await app.transaction([noteOf(items, "insert", 1)], () => app.run("insert into item values (1, null)"));
    await cutAll(log);
    expect(cellsOf((await readAll(log))[0])).to.deep.equal(["1", "41"]);
  });

  it("fails where a row security policy would hide rows, instead of writing deletes", async () => {
    await app.run("drop role if exists lockstep_tenant");
    await app.run("create role lockstep_tenant");
    try {
      await app.run("grant usage on schema public, lockstep to lockstep_tenant");
      await app.run("grant all on all tables in schema public, lockstep to lockstep_tenant");
      await app.run("grant usage on sequence lockstep.outbox_seq to lockstep_tenant");
      await app.run("insert into item values (1, 1)");
      await app.run("alter table item enable row level security");
      await app.run("create policy mine on item using (n = 2)");
      await app.run("begin");
      await app.run("set local role lockstep_tenant");
      expect(await failureOf([noteOf(items, "update", 1)])).to.equal("42501");
      await app.run("rollback");
      // Without a policy an application's role needs no more than these rights.
      await app.run("alter table item disable row level security");
      await app.run("set role lockstep_tenant");
      await app.transaction([noteOf(items, "update", 1)]);
      await app.run("reset role");
      await cutAll(log);
      expect((await readAll(log)).map(keyOf)).to.deep.equal(["1"]);
    } finally {
      await app.run("rollback");
      await app.run("reset role");
      await app.run("drop owned by lockstep_tenant");
      await app.run("drop role lockstep_tenant");
    }
  });

  it("does the same for a role that may not make functions", async () => {
    await app.run("drop role if exists lockstep_humble");
    await app.run("create role lockstep_humble");
    try {
      await app.run("create table plain (id int primary key, n int)");
      await app.run("grant usage on schema public, lockstep to lockstep_humble");
      await app.run("grant all on all tables in schema public, lockstep to lockstep_humble");
      await app.run("grant usage on sequence lockstep.outbox_seq to lockstep_humble");
      const writer = postgresOutboxWriter();
      const plain = { ...items, name: "plain" };
      await app.run("set role lockstep_humble");
      await writer.check(app.run);
      await writer.describe(app.run, [items, plain]);
      for (const table of [items, plain]) {
        await app.run("begin");
        await app.run(`insert into ${table.name} values (1, 7)`);
        expect(await writer.append(app.run, [noteOf(table, "insert", 1)], {})).to.equal(1);
        await app.run("commit");
      }
      await app.run("reset role");
      await cutAll(log);
      expect((await readAll(log)).map((event) => [event.table.name, event.image])).to.deep.equal([
        ["item", '["1","7"]'],
        ["plain", '["1","7"]'],
      ]);
    } finally {
      await app.run("rollback");
      await app.run("reset role");
      await app.run("drop owned by lockstep_humble");
      await app.run("drop role lockstep_humble");
    }
  });

  it("fails with 40001 when a row that was only noted has changed since the snapshot", async () => {
    await app.run("insert into item values (1, 1)");
    const other = await db.session();
    await app.run("begin isolation level repeatable read");
    await app.run("select 1");
    await other.run("update item set n = 2");
    expect(await failureOf([noteOf(items, "update", 1)])).to.equal("40001");
  });

  it("fails with 40001 when a column was added since the snapshot", async () => {
    const other = await db.session();
    await app.run("begin isolation level repeatable read");
    await app.run("select 1");
    await other.run("alter table item add extra int default 5");
    await app.run("insert into item values (1, 1, 7)");
    expect(await failureOf([noteOf(items, "insert", 1)])).to.equal("40001");
  });

  for (const [what, more] of Object.entries({ "one row": [], "several rows": [2, 3] })) {
    it(`locks what others could change, of ${what}: what it has not made itself, and nothing else`, async () => {
      const other = await db.session();
      await app.run("insert into item values (1, 1), (2, 2)");
      await app.run("begin");
      await app.run("update item set n = 20 where id = 2");
      await app.run("insert into item values (3, 3)");
      expect(await failureOf([1, ...more].map((key) => noteOf(items, "update", key)))).to.equal(undefined);
      const change = other.transaction([noteOf(items, "update", 1)], () =>
        other.run("update item set n = 10 where id = 1"),
      );
      await eventually(() => db.someoneWaits(app), { what: "the other transaction waits for the row" });
      await app.run("commit");
      await change;
      await app.transaction(
        [2, 3].map((key) => noteOf(items, "update", key)),
        () => app.run("update item set n = n + 1 where id > 1"),
      );
      await cutAll(log);
      const rows = await app.run("select n, xmax::text as lock from item where id > 1 order by id");
      expect(rows.map((row) => [row["n"], row["lock"]])).to.deep.equal([
        [21, "0"],
        [4, "0"],
      ]);
      const images = (await readAll(log)).map((event) => cellsOf(event)[1]);
      expect(images).to.deep.equal(["1", ...(more.length > 0 ? ["20", "3"] : []), "10", "21", "4"]);
    });
  }

  it("reads what savepoints have made as it is now", async () => {
    await app.run("insert into item values (1, 1), (2, 2)");
    await app.transaction(
      [1, 2, 3].map((key) => noteOf(items, "update", key)),
      async () => {
        await app.run("update item set n = n + 10");
        await app.run("savepoint inner_one");
        await app.run("update item set n = n + 100 where id = 2");
        await app.run("insert into item values (3, 3)");
        await app.run("release savepoint inner_one");
        await app.run("savepoint undone");
        await app.run("update item set n = 0");
        await app.run("rollback to savepoint undone");
      },
    );
    await cutAll(log);
    expect((await readAll(log)).map((event) => cellsOf(event)[1])).to.deep.equal(["11", "112", "3"]);
  });

  const alterations = {
    "a column added": "add extra int default 5",
    "one dropped": "drop n",
    "one renamed": "rename n to m",
    "one of another type": "alter n type bigint",
    "one of another length": "alter name type varchar(20)",
    "one that may not be NULL": "alter n set not null",
    "one that may be NULL": "alter id2 drop not null",
    "another primary key": "drop constraint wide_pkey, add primary key (id, id2)",
    "two columns that trade names":
      "rename n to aside; alter table wide rename o to n; alter table wide rename aside to o",
    "what changes nothing": "alter n set statistics 10",
  };
  for (const [what, alteration] of Object.entries(alterations)) {
    it(`meets ${what} in the next flush of one row and of several`, async () => {
      const wide = { ...items, name: "wide" };
      await app.run(
        "create table wide (id int primary key, n int, o bigint, name varchar(10), id2 int not null)",
      );
      await db.writer.describe(app.run, [wide]);
      await app.run("insert into wide values (1, 1, 1, 'a', 1), (2, 2, 2, 'b', 2)");
      await app.run(`alter table wide ${alteration}`);
      const isKeyed = what === "another primary key";
      const note = (key: number): RowNote => ({
        ...noteOf(wide, "update", key),
        key: isKeyed ? [String(key), String(key)] : [String(key)],
      });
      await app.transaction([note(1)]);
      await app.transaction([note(1), note(2)]);
      await cutAll(log);
      // A writer that starts now describes the table from the catalog alone.
      const [now] = await postgresOutboxWriter().describe(app.run, [wide]);
      const events = await readAll(log);
      expect(events.map((event) => event.schema)).to.deep.equal(events.map(() => now!.fingerprint));
      const [cells] = await app.run("select (to_jsonb(w.*))::text as row from wide w where id = 1");
      const row = JSON.parse(String(cells!["row"])) as Record<string, unknown>;
      const image = now!.columns.map(({ name }) => (row[name] === null ? null : String(row[name])));
      expect(events.map(cellsOf).slice(0, 2)).to.deep.equal([image, image]);
      expect(events).to.have.length(3);
    });
  }

  it("compares keys by their own operator, wherever their type lives", async () => {
    await app.run("create schema types");
    await app.run("create extension citext schema types");
    await app.run("create table citizen (id types.citext primary key, v int)");
    const citizens = { namespace: "public", name: "citizen" };
    await app.run("insert into citizen values ('Ann', 1)");
    await app.transaction([noteOf(citizens, "update", "Ann")]);
    // The database takes it for the same key; the row is another one for whoever compares texts (PROTOCOL.md 32).
    await app.transaction([noteOf(citizens, "update", "ANN"), noteOf(citizens, "delete", "Bob")]);
    await cutAll(log);
    expect((await readAll(log)).map((event) => [event.op, event.key])).to.deep.equal([
      ["update", '["Ann"]'],
      ["delete", '["ANN"]'],
      ["delete", '["Bob"]'],
    ]);
  });

  it("reads by the key, however small the table and old its statistics", async () => {
    await app.run("insert into item select n, n from generate_series(1, 20) n");
    await app.run("analyze item");
    await app.run("insert into item select n, n from generate_series(21, 20000) n");
    const scans = async (): Promise<number> => {
      const [row] = await app
        .run("select pg_stat_force_next_flush()")
        .then(() => app.run("select seq_tup_read::int as n from pg_stat_user_tables where relname = 'item'"));
      return Number(row!["n"]);
    };
    const before = await scans();
    await app.transaction([
      noteOf(items, "update", 1),
      noteOf(items, "update", 19999),
      noteOf(items, "delete", 30000),
    ]);
    await app.transaction([noteOf(items, "update", 1)]);
    expect(await scans()).to.equal(before);
  });

  it("doesn't wait for another transaction that meets the same new schema", async () => {
    const other = await db.session();
    await app.run("alter table item add extra int");
    await app.run("begin");
    await app.run("insert into item values (1, 1, 1)");
    await db.writer.append(app.run, [noteOf(items, "insert", 1)], {});
    await other.transaction([noteOf(items, "insert", 2)], () =>
      other.run("insert into item values (2, 2, 2)"),
    );
    await app.run("commit");
    await cutAll(log);
    const events = await readAll(log);
    expect(events.map(keyOf)).to.have.members(["1", "2"]);
    expect((await log.schemas()).filter((schema) => schema.fingerprint === events[0]!.schema)).to.have.length(
      1,
    );
  });

  it("gives partitions' rows under the table they were written through", async () => {
    await app.run("create table part (id int, at date, primary key (id, at)) partition by range (at)");
    await app.run("create table part_1 partition of part for values from ('2026-01-01') to ('2027-01-01')");
    const parts = { namespace: "public", name: "part" };
    await app.transaction([{ table: parts, op: "insert", key: ["1", "2026-03-04"] }], () =>
      app.run("insert into part values (1, '2026-03-04')"),
    );
    await cutAll(log);
    const [event] = await readAll(log);
    expect([event!.table.name, event!.key]).to.deep.equal(["part", '["1","2026-03-04"]']);
  });

  it("says of an INSERT whether its table keeps the keys, at every moment anew", async () => {
    const kept = async (table = "item", begin = "begin"): Promise<unknown> => {
      await app.run(begin);
      const question = db.writer.keepsKeys!({ namespace: "public", name: table });
      const [row] = await app.run(`insert into ${table} values (1, 1) returning ${question} as kept`);
      await app.run("rollback");
      return row!["kept"];
    };
    const trigger = "create trigger moves before insert on item for each row execute function moves()";
    await app.run(
      "create function moves() returns trigger language plpgsql as $$ begin new.id := 2; return new; end $$",
    );
    const other = await db.session();
    expect([await kept(), await kept()]).to.deep.equal([true, true]);
    await other.run(trigger);
    expect(await kept()).to.equal(false);
    await app.run("begin; drop trigger moves on item");
    expect(await kept("item", "savepoint a")).to.equal(true);
    expect(await kept()).to.equal(false);
    await other.run("drop trigger moves on item");
    expect(await kept()).to.equal(true);
    // What an older snapshot shows is not what holds now.
    await app.run("begin isolation level repeatable read");
    await app.run("select 1");
    await other.run(trigger);
    expect(await kept("item", "savepoint a")).to.equal(false);
    await other.run("drop trigger moves on item");
    expect(await kept()).to.equal(true);
    // The next row may go to a partition with a trigger.
    await app.run("create table part (id int, n int, primary key (id, n)) partition by range (n)");
    await app.run("create table part_1 partition of part for values from (0) to (9)");
    const parts = ["part", "part_1"].map((name) => ({ namespace: "public", name }));
    await db.writer.describe(app.run, parts);
    expect([await kept("part"), await kept("part_1")]).to.deep.equal([false, false]);
  });

  it("serves processes of an older version that describe a table now", async () => {
    const [made] = await app.run('select left(md5(\'"public"."item"\'), 16) as hash');
    await app.run("begin");
    await app.run("insert into item values (1, 1), (2, 2)");
    await app.run(
      `select lockstep.rows_${String(made!["hash"])}('[[1, "i", ["2"]], [2, "i", ["1"]]]'::jsonb, null, null)`,
    );
    await app.run("commit");
    await cutAll(log);
    expect((await readAll(log)).map(keyOf)).to.deep.equal(["2", "1"]);
  });

  it("writes what it has made itself in the order of notes, by keys of several columns", async () => {
    const pairs = { namespace: "public", name: "pair" };
    await app.run("create table pair (a text, b int, v text, primary key (b, a))");
    await db.writer.describe(app.run, [pairs]);
    const keys = [["2", 'x"'], ["1", "y\\"], ["1", "{,}"], ["3", ""]]; // prettier-ignore
    const notes = keys.map((key, n): RowNote => ({ table: pairs, op: n % 2 ? "insert" : "update", key }));
    await app.transaction(notes, async () => {
      for (const key of keys.toReversed()) await app.run("insert into pair values ($2, $1, 'v')", key);
    });
    await cutAll(log);
    const events = await readAll(log);
    expect(events.map(({ key }) => JSON.parse(key) as unknown)).to.deep.equal(keys);
    expect(events.map(({ op }) => op)).to.deep.equal(["update", "insert", "update", "insert"]);
  });
});
