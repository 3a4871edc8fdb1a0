import {
  type ChangeLog,
  comparePositions,
  type LoggedEvent,
  type Position,
  positionOf,
  eventsOf,
} from "@lockstep/core";
import { expect } from "chai";
import { begin, type BinlogSource, endOf, openBinlogSource, readAll } from "./binlog-source.js";
import { liveMemory } from "./live-memory.js";

const rows = 100_000;
const pageEvents = 1_000;

describe("a large transaction from the binlog", () => {
  let source: BinlogSource;
  let log: ChangeLog;
  let start: Position;
  beforeEach(async () => {
    source = await openBinlogSource();
    await source.run("create table item (id int primary key, note varchar(300) not null)");
    await source.run("create table plain (id int primary key) engine = MyISAM");
    await source.describe("item");
    log = source.log();
    start = await begin(log);
  });
  afterEach(() => source.close());

  /** Reads everything after `after` and keeps nothing of it. */
  async function scan(after: Position, onPage: (page: readonly LoggedEvent[]) => void = () => undefined) {
    await log.top();
    const found = { events: 0, transactions: 0, ends: 0, isOrdered: true };
    let last = after;
    let tick = 0n;
    for await (const page of log.read(after, { pageEvents })) {
      for (const event of page) {
        const position = positionOf(event.tick, event.ordinal);
        found.isOrdered &&= comparePositions(position, last) > 0;
        last = position;
        if (event.tick !== tick) found.transactions++;
        tick = event.tick;
        if (event.endsTransaction) found.ends++;
      }
      found.events += page.length;
      onPage(eventsOf(page));
    }
    return found;
  }

  it("is one transaction, and needs no more memory than its pages", async () => {
    await source.run("insert into item select seq + 1000000, repeat('x', 300) from seq_1_to_1000");
    const small = await readAll(log, start);
    const after = endOf(small);
    const before = liveMemory();
    await source.run(`insert into item select seq, repeat('x', 300) from seq_1_to_${rows}`);
    let most = 0;
    let pages = 0;
    const found = await scan(after, () => {
      if (pages++ % 10 === 0) most = Math.max(most, liveMemory());
    });
    expect(found).to.deep.equal({ events: rows, transactions: 1, ends: 1, isOrdered: true });
    // The transaction alone is 33 MB in the log.
    expect((most - before) / 1024 / 1024).to.be.lessThan(25);
  });

  it("goes on from its middle", async () => {
    await source.run(`insert into item select seq, repeat('x', 20) from seq_1_to_${rows}`);
    let middle: LoggedEvent | undefined;
    let seen = 0;
    await scan(start, (page) => {
      seen += page.length;
      if (seen > rows / 2) middle ??= page.at(-1);
    });
    log = source.log();
    let first: LoggedEvent | undefined;
    const found = await scan(positionOf(middle!.tick, middle!.ordinal), (page) => (first ??= page[0]));
    expect(first!.total).to.equal(middle!.total + 1);
    expect(found).to.deep.equal({ events: rows - middle!.total, transactions: 1, ends: 1, isOrdered: true });
  });

  it("leaves no mark in its middle: counts stay right whatever is read after it", async () => {
    await source.run(`insert into item select seq, repeat('x', 300) from seq_1_to_${rows}`);
    let pruned = 0;
    await log.top();
    for await (const page of log.read(start, { pageEvents })) {
      if (page.length > 0 && pruned++ % 20 === 0) await log.prune();
    }
    await source.run("insert into item values (1000000, 'last')");
    for (const fresh of [log, source.log()]) {
      const events: LoggedEvent[] = [];
      await fresh.top();
      for await (const page of fresh.read(start, { pageEvents })) events.push(...eventsOf(page).slice(-1));
      expect(events.at(-1)!.total).to.equal(rows + 1);
    }
    const [marks] = await source.run(
      "select count(*) as n from lockstep_log_mark where total > 0 and total < 100000",
    );
    expect(Number(marks!["n"])).to.equal(0);
  });

  it("leaves out what a savepoint took back, before and after it was too large to keep", async () => {
    const { run } = source;
    await run("begin");
    await run("insert into item select seq, 'stays' from seq_1_to_1000");
    await run("savepoint a");
    await run("insert into item select seq + 10000, 'goes' from seq_1_to_1500");
    await run("insert into plain values (1)");
    await run("rollback to a");
    await run("insert into item select seq + 20000, 'stays' from seq_1_to_5000");
    await run("savepoint b");
    await run("insert into item select seq + 30000, 'goes' from seq_1_to_5000");
    await run("insert into plain values (2)");
    await run("rollback to b");
    await run("insert into item select seq + 40000, 'stays' from seq_1_to_10");
    await run("commit");
    const notes = new Set<string>();
    const found = await scan(start, (page) => {
      for (const { image } of page) notes.add((JSON.parse(image!) as [string, string])[1]);
    });
    expect([...notes]).to.deep.equal(["stays"]);
    expect(found).to.deep.equal({ events: 6_010, transactions: 1, ends: 1, isOrdered: true });
  });

  it("that was rolled back, though the log holds it, is nothing", async () => {
    const { run } = source;
    await run("begin");
    await run("insert into item select seq, 'goes' from seq_1_to_10000");
    await run("insert into plain values (1)");
    await run("rollback");
    await run("insert into item values (1, 'stays')");
    expect(await scan(start)).to.deep.equal({ events: 1, transactions: 1, ends: 1, isOrdered: true });
  });
});
