import type { LaneSession } from "@lockstep/core";
import { eventually, startProxy } from "@lockstep/testing";
import type { TargetFixture } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { mysqlTarget } from "../../src/index.js";
import { type LanePlace, openLane } from "../../src/lane/lane-session.js";
import { Session } from "../../src/session/session.js";
import { openMysqlFixture } from "../mysql-fixture.js";
import { rejection } from "../mysql-lane.js";

describe("a network that swallows packets", () => {
  let fixture: TargetFixture;

  before(async () => (fixture = await openMysqlFixture()));
  after(() => fixture.drop());

  it("ends a lane after a bound instead of waiting for ever", async () => {
    await using proxy = await startProxy({ port: Number(new URL(fixture.url).port) });
    const target = mysqlTarget({ name: "mine", url: proxy.url(fixture.url), statementTimeoutMs: 1_000 });
    await target.open();
    const lane = (await target.lane({ source: "app", partition: 0 }))!;
    const from = await lane.register({ position: "0-0", incarnation: "test" });
    const move = { from, to: "1-1", total: 1, incarnation: "test", records: 0 } as const;
    const error = await rejection(
      lane.step(move, async (transaction) => {
        proxy.blackHole();
        await transaction.dueLetters(1);
      }),
    );
    expect(target.classify(error)).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    await lane.lost;
    await lane[Symbol.asyncDispose]();
    await proxy.heal();
    await target.close();
  });

  it("frees the lane of a host that is gone, and keeps that of one that only waits", async () => {
    await using proxy = await startProxy({ port: Number(new URL(fixture.url).port) });
    const { pathname } = new URL(fixture.url);
    const tables = { namespace: pathname.slice(1) } as LanePlace["tables"];
    const open = (url: string): Promise<LaneSession | undefined> =>
      openLane({
        lane: { source: "gone", partition: 0 },
        tables,
        pulse: { everyMs: 200, silentSeconds: 2 },
        connect: () => Session.open({ url, database: tables.namespace, statementTimeoutMs: 5_000 }),
      });
    const lane = (await open(proxy.url(fixture.url)))!;
    const until = Date.now() + 3_000;
    while (Date.now() < until) expect(await open(fixture.url)).equal(undefined);
    proxy.blackHole();
    await using next = await eventually(() => open(fixture.url), { what: "the lane" });
    expect(next).not.equal(undefined);
    await proxy.heal();
    await lane.lost;
    await lane[Symbol.asyncDispose]();
  });

  it("says that the target is away while nobody listens, and works again after that", async () => {
    await using proxy = await startProxy({ port: Number(new URL(fixture.url).port) });
    const target = mysqlTarget({ name: "mine", url: proxy.url(fixture.url) });
    const { id } = await target.open();
    await proxy.cut();
    for (const work of [
      () => target.open(),
      () => target.lane({ source: "app", partition: 1 }),
      () => target.checkpoints(),
    ]) {
      expect(target.classify(await rejection(work()))).deep.equal({
        kind: "systemic",
        code: "TARGET_UNAVAILABLE",
      });
    }
    await proxy.heal();
    expect(await target.open()).deep.equal({ id });
    await target.close();
  });
});
