import { comparePositions, positionOf } from "@lockstep/core";
import { expect } from "chai";
import { LogFollower, openWalSource } from "./wal-source.js";

describe("the write-ahead log: barrier", () => {
  it("lies at or behind what was committed before it, and the log goes on past it", async () => {
    await using source = await openWalSource();
    await source.sql("create table item (id bigint primary key, note text)");
    await source.install("item");
    const log = source.log();
    const follower = await LogFollower.lead(log);
    const other = await source.connect();
    let isOver = false;
    const writing = (async () => {
      for (let id = 1_000; !isOver; id++) await other.query("insert into item values ($1, 'x')", [id]);
    })();
    const barriers: { readonly key: string; readonly position: Awaited<ReturnType<typeof log.barrier>> }[] =
      [];
    for (let id = 1; id <= 20; id++) {
      // With it off a commit is seen before its record is durable.
      await source.sql(`set synchronous_commit = ${id % 2 === 0 ? "on" : "off"}`);
      await source.sql("insert into item values ($1, 'x')", [id]);
      barriers.push({ key: JSON.stringify([String(id)]), position: await log.barrier(1_000) });
    }
    isOver = true;
    await writing;
    const { position } = barriers.at(-1)!;
    const events = await follower.until(1);
    while (comparePositions(follower.at, position) < 0) await follower.look();
    expect(events.filter(({ op }) => op === "barrier").length).to.equal(barriers.length);
    for (const barrier of barriers) {
      const event = events.find(({ key }) => key === barrier.key)!;
      expect(comparePositions(positionOf(event.tick, event.ordinal), barrier.position)).to.be.at.most(0);
    }
  });
});
