import { isLockstepError, type ChangeLog, type RowNote, eventsOf } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { cutAll, keyOf, noteOf, readAll, type Session, type SourceDatabase } from "../fixture/database.js";
import { liveMemory } from "../fixture/live-memory.js";
import { postgres } from "../fixture/postgres.js";

describe("cutting on PostgreSQL", () => {
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

  const save = (id: number): Promise<void> =>
    app.transaction([noteOf(items, "insert", id)], () => app.run(`insert into item values (${id}, 0)`));

  it("refuses a snapshot older than the last tick's, as a restored source has", async () => {
    await save(1);
    await log.cut();
    const [row] = await app.run("select (pg_current_xact_id()::text::bigint + 1000)::text as xid");
    const ahead = String(row!["xid"]);
    await app.run(`update lockstep.tick set snapshot = '${ahead}:${ahead}:' where n = 1`);
    // Put it where the look for something new finds it, as if the restored source wrote again.
    await save(2);
    await app.run(`update lockstep.outbox set xid = '${BigInt(ahead) + 1n}' where key = '["2"]'`);
    const failure = await log.cut().catch((error: unknown) => error);
    expect(isLockstepError(failure, "SNAPSHOT_WENT_BACK"), String(failure)).to.equal(true);
    expect(await log.top()).to.equal("1-1");
  });

  it("commits ticks durably, whatever the role's setting", async () => {
    // A trigger sees what the transaction that writes the tick has set.
    await app.run("create table seen (setting text, isolation text)");
    await app.run(`create function note_setting() returns trigger language plpgsql as $$ begin
      insert into public.seen values (current_setting('synchronous_commit'), current_setting('transaction_isolation'));
      return null; end $$`);
    await app.run("create trigger note after insert on lockstep.tick execute function note_setting()");
    await app.run(`alter database ${new URL(db.url).pathname.slice(1)} set synchronous_commit = off`);
    await app.run(
      `alter database ${new URL(db.url).pathname.slice(1)} set default_transaction_isolation = 'serializable'`,
    );
    await save(1);
    await db.log().cut();
    expect(await app.run("select * from seen")).to.deep.equal([
      { setting: "on", isolation: "read committed" },
    ]);
  });

  it("locks the last tick before it looks, so that a relay that was held up cuts after the other", async () => {
    const rival = db.log();
    await save(1);
    await log.cut();
    await save(2);
    await app.run("begin");
    await app.run("select from lockstep.tick order by n desc limit 1 for update");
    const held = rival.cut();
    const other = await db.session();
    await other.transaction([noteOf(items, "insert", 3)], () => other.run("insert into item values (3, 0)"));
    await app.run("commit");
    expect(await held).to.include({ tick: 2n });
    await cutAll(log);
    expect((await readAll(log)).map(keyOf)).to.deep.equal(["1", "2", "3"]);
  });

  it("is fenced when another relay's tick has the same number", async () => {
    await save(1);
    await app.run("begin");
    const [row] = await app.run("select pg_current_snapshot()::text as snapshot");
    await app.run(
      `insert into lockstep.tick (n, snapshot, events, total) values (1, '${String(row!["snapshot"])}', 1, 1)`,
    );
    const cutting = log.cut().catch((error: unknown) => error);
    const other = await db.session();
    for (;;) if (await db.someoneWaits(other)) break;
    await app.run("commit");
    expect(isLockstepError(await cutting, "RELAY_FENCED")).to.equal(true);
  });

  it("counts what a savepoint wrote with the transaction around it", async () => {
    await app.run("begin");
    await app.run("savepoint a");
    await app.run("insert into item values (1, 0)");
    await db.writer.append(app.run, [noteOf(items, "insert", 1)], {});
    await app.run("release savepoint a");
    const other = await db.session();
    await other.transaction([noteOf(items, "insert", 2)], () => other.run("insert into item values (2, 0)"));
    await log.cut();
    await app.run("commit");
    await log.cut();
    expect((await readAll(log)).map((event) => [event.tick, keyOf(event)])).to.deep.equal([
      [1n, "2"],
      [2n, "1"],
    ]);
  });

  it("writes nothing at an idle look, so that it costs the source nothing", async () => {
    await save(1);
    await log.cut();
    const [before] = await app.run(
      "select pg_current_wal_insert_lsn()::text as lsn, n from (select count(*) as n from lockstep.tick) t",
    );
    for (let i = 0; i < 5; i++) await log.cut();
    const [after] = await app.run(
      "select pg_current_wal_insert_lsn()::text as lsn, n from (select count(*) as n from lockstep.tick) t",
    );
    expect(after!["n"]).to.equal(before!["n"]);
    const [last] = await app.run("select xmax::text as xmax from lockstep.tick order by n desc limit 1");
    expect(last!["xmax"]).to.equal("0");
  });

  it("keeps no transaction open while nobody takes the next page of a large tick, and goes on behind the last one", async () => {
    const print = String((await app.run("select fingerprint from lockstep.table_schema"))[0]!["fingerprint"]);
    // Five transactions, each with rows between the rows of the others.
    for (let part = 0; part < 5; part++) {
      await app.run(`insert into lockstep.outbox (seq, op, fingerprint, key, image)
        select n * 5 + ${part}, 'u', '${print}', '["' || n || '"]', '["1","2"]' from generate_series(1, 40) n`);
    }
    await log.cut();
    const expected = (await readAll(log)).map((event) => [event.ordinal, keyOf(event), event.transaction.id]);
    const open = async (): Promise<number> =>
      (
        await app.run(
          "select 1 as one from pg_stat_activity where application_name = 'lockstep test' and xact_start is not null",
        )
      ).length;
    const read: unknown[] = [];
    let pages = 0;
    for await (const page of log.read("0-0", { pageEvents: 30 })) {
      read.push(...eventsOf(page).map((event) => [event.ordinal, keyOf(event), event.transaction.id]));
      // Inside a transaction, and later in one that spans pages again.
      if (++pages === 2 || pages === 5) {
        expect(await open()).to.equal(1);
        await eventually(async () => (await open()) === 0, {
          what: "the read to be given up",
          timeoutMs: 10_000,
        });
      }
    }
    expect(read).to.deep.equal(expected);
    expect(read.length).to.equal(200);
  });

  it("reads a tick of 50,000 rows in order and in flat memory", async () => {
    const print = String((await app.run("select fingerprint from lockstep.table_schema"))[0]!["fingerprint"]);
    const image = JSON.stringify(["1", "x".repeat(1_000)]);
    // Twenty-five transactions, each with rows between the rows of the others.
    for (let part = 0; part < 25; part++) {
      await app.run(`insert into lockstep.outbox (seq, op, fingerprint, key, image)
        select n * 25 + ${part}, 'u', '${print}', '["' || n || '"]', '${image}' from generate_series(1, 2000) n`);
    }
    await log.cut();
    const before = liveMemory();
    let pages = 0;
    let peak = 0;
    let ordinal = 0;
    const seen = new Set<string>();
    for await (const page of log.read("0-0", { pageEvents: 500 })) {
      for (const event of eventsOf(page)) {
        expect(event.ordinal).to.equal(++ordinal);
        expect(Number(keyOf(event))).to.equal(((ordinal - 1) % 2_000) + 1);
        expect(event.endsTransaction).to.equal(ordinal % 2_000 === 0);
        seen.add(event.transaction.id);
      }
      if (++pages % 10 === 0) peak = Math.max(peak, liveMemory() - before);
    }
    expect([ordinal, seen.size]).to.deep.equal([50_000, 25]);
    // The rows are 50 MB; a page is half a megabyte, and the next one is under way.
    expect(peak / 1e6).to.be.lessThan(20);
  });
});
