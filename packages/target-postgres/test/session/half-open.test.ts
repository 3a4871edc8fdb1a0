import { eventually, startProxy } from "@lockstep/testing";
import { contractContext, contractTable, openLane, rejection } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { PostgresLane } from "../../src/lane/lane-session.js";
import { openFixture } from "../fixture.js";

describe("a network that swallows packets", () => {
  const context = contractContext(openFixture);

  it("ends a step after a bound as a fault of the target, and the session with it", async () => {
    const table = contractTable(context.fixture, "swallowed", { id: "integer" });
    await table.create();
    const { hostname, port } = new URL(context.fixture.url);
    const proxy = await startProxy({ host: hostname, port: Number(port) });
    try {
      const target = await context.target({ url: proxy.url(context.fixture.url), statementTimeoutMs: 1_000 });
      const lane = await openLane(target, "swallowed");
      const rows = await lane.table(table);
      proxy.blackHole();
      const start = performance.now();
      const error = await rejection(lane.step((transaction) => transaction.upsert(rows, [table.row("1")])));
      expect(performance.now() - start).within(500, 20_000);
      expect(target.classify(error)).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
      await lane.session.lost;
      await lane.close();
      expect(await table.rows()).deep.equal([]);
    } finally {
      await proxy[Symbol.asyncDispose]();
    }
  });

  // As a process that was stopped, or hangs: its kernel goes on answering for it.
  it("frees the lane of an owner that has fallen silent, and keeps that of one that only waits", async () => {
    await (await context.target()).open();
    const { hostname, port } = new URL(context.fixture.url);
    await using proxy = await startProxy({ host: hostname, port: Number(port) });
    const open = (url: string): Promise<PostgresLane | undefined> =>
      PostgresLane.open({
        url,
        lane: { source: "silent", partition: 0 },
        pulse: { everyMs: 200, silentMs: 2_000 },
        applicationName: "lockstep lane silent/0",
        statementTimeoutMs: 5_000,
      });
    const lane = (await open(proxy.url(context.fixture.url)))!;
    const until = Date.now() + 3_000;
    while (Date.now() < until) expect(await open(context.fixture.url)).equal(undefined);
    proxy.blackHole();
    await using next = await eventually(() => open(context.fixture.url), { what: "the lane" });
    expect(next).not.equal(undefined);
    await proxy.heal();
    await lane.lost;
    await lane[Symbol.asyncDispose]();
  });

  it("ends a lane whose step hangs, though it goes on saying that it is there", async () => {
    await (await context.target()).open();
    const lane = (await PostgresLane.open({
      url: context.fixture.url,
      lane: { source: "hanging", partition: 0 },
      pulse: { everyMs: 100, silentMs: 60_000 },
      applicationName: "lockstep lane hanging/0",
      statementTimeoutMs: 1_000,
    }))!;
    const from = await lane.register({ position: "0-0", incarnation: "test" });
    const move = { from, to: "1-1", total: 1, incarnation: "test", records: 0 } as const;
    const start = performance.now();
    const error = await rejection(
      lane.step(move, async (transaction) => {
        await transaction.countRecords(0);
        await lane.lost;
        await transaction.countRecords(0);
      }),
    );
    expect(performance.now() - start).within(500, 20_000);
    expect(String(error)).contain("terminated");
    await lane[Symbol.asyncDispose]();
  });

  it("takes a statement that is too slow, or waits for a lock, for a fault of the target", async () => {
    const table = contractTable(context.fixture, "locked", { id: "integer" });
    await table.create();
    const target = await context.target({ statementTimeoutMs: 1_000 });
    const lane = await openLane(target, "locked");
    const rows = await lane.table(table);
    await context.fixture.run("begin; lock table locked");
    const error = await rejection(lane.step((transaction) => transaction.upsert(rows, [table.row("1")])));
    await context.fixture.run("rollback");
    expect(target.classify(error).kind).equal("systemic");
    // The session is whole: only the step was given up.
    await lane.step((transaction) => transaction.upsert(rows, [table.row("1")]));
    expect(await table.rows()).deep.equal([["1"]]);
    await lane.close();
  });
});
