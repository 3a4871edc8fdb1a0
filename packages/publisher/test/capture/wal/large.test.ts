import { positionOf, eventsOf } from "@lockstep/core";
import { expect } from "chai";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LogFollower, openWalSource, type WalSource } from "./wal-source.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function liveMegabytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

describe("the write-ahead log: a very large transaction", () => {
  let source: WalSource;
  const rows = 100_000;

  before(async () => {
    source = await openWalSource();
    await source.sql("create table item (id int primary key, body text)");
    await source.install("item");
  });
  after(async () => {
    await source[Symbol.asyncDispose]();
  });

  it("is one tick, read with flat memory, and others read it beside", async () => {
    const log = source.log();
    const { release, at } = await LogFollower.lead(log);
    for await (const page of log.read((await log.cut(), at))) expect(page).to.deep.equal([]);
    await source.sql(
      `insert into item select n, repeat(md5(n::text), 20) from generate_series(1, ${rows}) n`,
    );
    await source.sql("insert into item values (0, 'after')");
    const before = liveMegabytes();
    let most = 0;
    const readThrough = async (
      from: string,
    ): Promise<{ count: number; ticks: Set<bigint>; ends: number }> => {
      const seen = { count: 0, ticks: new Set<bigint>(), ends: 0 };
      let next = 1;
      for await (const page of log.read(from as typeof at, { pageEvents: 1_000 })) {
        const events = eventsOf(page);
        for (const event of events) {
          if (event.ordinal !== (seen.ticks.has(event.tick) ? next : 1)) throw new Error("a hole");
          next = event.ordinal + 1;
          seen.ticks.add(event.tick);
          if (event.endsTransaction && event.endsTick) seen.ends++;
        }
        seen.count += events.length;
        if (seen.count % 10_000 === 0) most = Math.max(most, liveMegabytes());
      }
      return seen;
    };
    while ((await log.cut()) === undefined) await log.wait(100);
    const [first, beside] = await Promise.all([readThrough(at), readThrough(at)]);
    expect(first.count).to.be.greaterThanOrEqual(rows);
    expect(beside.count).to.be.greaterThanOrEqual(rows);
    expect(most - before).to.be.lessThan(60);
    // What follows it, and a reader that begins in its middle: from a copy of the slot.
    const [tick] = [...first.ticks];
    while ((await log.cut()) === undefined && first.ticks.size === 1) await log.wait(100);
    const middle = positionOf(tick!, 60_000);
    let rest = 0;
    for await (const page of log.read(middle)) rest += eventsOf(page).length;
    expect(rest).to.equal(rows - 60_000 + 1);
    await release();
  });
});
