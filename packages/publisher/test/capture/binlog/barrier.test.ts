import { comparePositions, positionOf } from "@lockstep/core";
import { expect } from "chai";
import { begin, endOf, openBinlogSource, readAll } from "./binlog-source.js";

describe("the binlog: barrier", () => {
  it("lies at or behind what was committed before it, and the log goes on past it", async () => {
    const source = await openBinlogSource();
    try {
      await source.run("create table item (id bigint primary key, note varchar(20))");
      await source.describe("item");
      const log = source.log();
      const start = await begin(log);
      const other = await source.session();
      let isOver = false;
      const writing = (async () => {
        for (let id = 1_000; !isOver; id++) await other.run("insert into item values (?, 'x')", [id]);
      })();
      const barriers: { readonly key: string; readonly position: Awaited<ReturnType<typeof log.barrier>> }[] =
        [];
      for (let id = 1; id <= 20; id++) {
        await source.run("insert into item values (?, 'x')", [id]);
        if (id === 10) await source.run("flush binary logs");
        barriers.push({ key: JSON.stringify([String(id)]), position: await log.barrier(10_000) });
      }
      isOver = true;
      await writing;
      const events = await readAll(log, start);
      expect(comparePositions(endOf(events), barriers.at(-1)!.position)).to.be.at.least(0);
      expect(events.filter(({ op }) => op === "barrier").length).to.equal(barriers.length);
      for (const barrier of barriers) {
        const event = events.find(({ key }) => key === barrier.key)!;
        expect(comparePositions(positionOf(event.tick, event.ordinal), barrier.position)).to.be.at.most(0);
      }
    } finally {
      await source.close();
    }
  });
});
