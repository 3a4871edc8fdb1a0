import { isLockstepError, type ChangeLog, type RowNote, eventsOf } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { mysqlChangeLog } from "../../src/index.js";
import { cutAll, keyOf, noteOf, readAll, type Session, type SourceDatabase } from "../fixture/database.js";
import { liveMemory } from "../fixture/live-memory.js";
import { mariaDb } from "../fixture/mysql.js";

describe("cutting on MariaDB", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;
  let items: RowNote["table"];
  let print: string;

  beforeEach(async () => {
    db = await mariaDb.open();
    app = await db.session();
    log = db.log();
    items = { namespace: db.namespace, name: "item" };
    await app.run("create table item (id int primary key, n int)");
    print = (await db.writer.describe(app.run, [items]))[0]!.fingerprint;
  });
  afterEach(() => db.drop());

  const save = (id: number): Promise<void> =>
    app.transaction([noteOf(items, "insert", id)], () => app.run(`insert into item values (${id}, 0)`));
  /** Rows as a trigger would write them: without a transaction id. */
  const anonymous = (session: Session, ...keys: number[]): Promise<unknown> =>
    session.run(
      `insert into lockstep_outbox (at, op, fingerprint, row_key) values ${keys.map((key) => `(utc_timestamp(6), 'd', '${print}', '["${key}"]')`).join(", ")}`,
    );

  it("takes a tick whose transactions are unknown as one transaction, in the order of ids", async () => {
    const other = await db.session();
    await app.run("begin");
    await anonymous(app, 1);
    await other.run("begin");
    await anonymous(other, 2);
    await anonymous(app, 3);
    await app.run("commit");
    await other.run("commit");
    await save(4);
    await log.cut();
    await save(5);
    await log.cut();
    const events = await readAll(log);
    expect(
      events.map((e) => [e.tick, keyOf(e), e.transaction.id === "tick-1", e.endsTransaction]),
    ).to.deep.equal([
      [1n, "1", true, false],
      [1n, "2", true, false],
      [1n, "3", true, false],
      [1n, "4", true, true],
      [2n, "5", false, true],
    ]);
  });

  it("marks exactly the rows it saw, though others commit between the look and the mark", async () => {
    const late = await db.session();
    await late.run("begin");
    await anonymous(late, 1);
    await save(2);
    // Holds the cut up between its look and its mark: the row it will mark is locked (and no gap beside it).
    const [member] = await app.run("select id from lockstep_outbox where tick = 0 order by id desc limit 1");
    await app.run("set session transaction isolation level read committed");
    await app.run("begin");
    await app.run("select id from lockstep_outbox where id = ? for update", [member!["id"]]);
    const cutting = log.cut();
    const other = await db.session();
    await eventually(() => db.someoneWaits(other), { what: "the cut waits for the row" });
    await other.transaction([noteOf(items, "insert", 3)], () => other.run("insert into item values (3, 0)"));
    await late.run("commit");
    await app.run("commit");
    expect(await cutting).to.deep.equal({ tick: 1n, events: 1 });
    await cutAll(log);
    const events = await readAll(log);
    expect(events.map((event) => [event.tick, keyOf(event)])).to.deep.equal([
      [1n, "2"],
      [2n, "1"],
      [2n, "3"],
    ]);
  });

  it("marks rows one by one where ids have holes", async () => {
    await app.run("set auto_increment_increment = 3");
    for (let id = 1; id <= 8; id++) await save(id);
    expect(await log.cut()).to.deep.equal({ tick: 1n, events: 8 });
    expect((await readAll(log)).map(keyOf)).to.deep.equal(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("notices that a tick no longer has its rows", async () => {
    await save(1);
    await save(2);
    await log.cut();
    await app.run("delete from lockstep_outbox limit 1");
    const failure = await readAll(log).catch((error: unknown) => error);
    expect(isLockstepError(failure, "HISTORY_GONE"), String(failure)).to.equal(true);
  });

  it("warns once when commits of the source can be lost in a crash", async () => {
    const warnings: object[] = [];
    const none = (): void => undefined;
    const logger = {
      debug: none,
      info: none,
      error: none,
      warn: (fields: object) => void warnings.push(fields),
    };
    const [before] = await app.run("select @@innodb_flush_log_at_trx_commit as setting");
    await app.run("set global innodb_flush_log_at_trx_commit = 2");
    const warned = mysqlChangeLog({ connection: db.url, source: "shop", logger });
    try {
      await warned.cut();
      await warned.cut();
    } finally {
      await warned.close();
      await app.run(`set global innodb_flush_log_at_trx_commit = ${String(before!["setting"])}`);
    }
    expect(warnings).to.deep.equal([{ source: "shop", setting: 2 }]);
  });

  it("writes while other transactions flush, without a deadlock", async () => {
    const writers = await Promise.all([1, 2, 3, 4].map(() => db.session()));
    await app.run("insert into item select seq, 0 from seq_1_to_60");
    let over = false;
    const relay = (async () => {
      while (!over) await log.cut();
    })();
    await Promise.all(
      writers.map(async (session, w) => {
        for (let i = 0; i < 25; i++) {
          const ids = [1, 2, 3].map((n) => w * 15 + ((i * 3 + n) % 15) + 1).toSorted((a, b) => a - b);
          await session.transaction(
            ids.map((id) => noteOf(items, "update", id)),
            async () => {
              for (const id of ids) await session.run(`update item set n = n + 1 where id = ${id}`);
            },
          );
        }
      }),
    );
    over = true;
    await relay;
    await cutAll(log);
    expect((await readAll(log)).length).to.equal(4 * 25 * 3);
  });

  it("reads a tick of 50,000 rows in order and in flat memory, also when one transaction spans it all", async () => {
    const image = JSON.stringify(["1", "x".repeat(1_000)]);
    const row = (tx: string, ends: string): string =>
      `select ${tx}, ${ends}, utc_timestamp(6), 'u', '${print}', concat('["', seq, '"]'), '${image}'`;
    const columns = "(tx, ends_tx, at, op, fingerprint, row_key, image)";
    // Every other row is of one transaction, those between are of transactions of their own.
    for (let part = 0; part < 5; part++) {
      await app.run(`insert into lockstep_outbox ${columns}
  ${row("if(seq % 2, 'large', concat('small-', seq))", "if(seq % 2, seq = 49999, 1)")} from seq_${part * 10_000 + 1}_to_${part * 10_000 + 10_000}`);
    }
    expect(await log.cut()).to.deep.equal({ tick: 1n, events: 50_000 });
    const before = liveMemory();
    let pages = 0;
    let peak = 0;
    const keys: number[] = [];
    for await (const page of log.read("0-0", { pageEvents: 500 })) {
      for (const event of eventsOf(page)) keys.push(Number(keyOf(event)));
      if (++pages % 10 === 0) peak = Math.max(peak, liveMemory() - before);
    }
    const even = Array.from({ length: 25_000 }, (_, i) => 2 * i + 2);
    const odd = Array.from({ length: 25_000 }, (_, i) => 2 * i + 1);
    expect(keys).to.deep.equal([...even.slice(0, -1), ...odd, 50_000]);
    // The rows are 50 MB and more as strings; a page is half a megabyte, and ten are kept.
    expect(peak / 1e6).to.be.lessThan(20);
  });
});
