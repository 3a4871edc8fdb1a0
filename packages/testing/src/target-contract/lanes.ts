import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { incarnation, openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Identity, ownership, checkpoints. */
export function lanesContract(context: ContractContext): void {
  it("gives every process the same id, opened at once or one after the other", async () => {
    const targets = await Promise.all([1, 2, 3].map(() => context.target()));
    const ids = await Promise.all(targets.map(async (target) => (await target.open()).id));
    expect(new Set(ids).size).equal(1);
    expect(ids[0]).match(/^[0-9a-f-]{36}$/);
  });

  it("names its address without credentials", async () => {
    const target = await context.target();
    const { password, host } = new URL(context.fixture.url);
    expect(target.address).contain(host);
    if (password !== "") expect(target.address).not.contain(`:${password}@`);
  });

  it("gives a lane to one session at a time, and to the next when that is disposed", async () => {
    const [mine, theirs] = [await context.target(), await context.target()];
    const lane = await openLane(mine, "one-owner");
    expect(await theirs.lane({ source: "one-owner", partition: 0 })).equal(undefined);
    expect(await mine.lane({ source: "one-owner", partition: 0 })).equal(undefined);
    await lane.close();
    const next = await theirs.lane({ source: "one-owner", partition: 0 });
    expect(next).not.equal(undefined);
    await next![Symbol.asyncDispose]();
  });

  it("owns lanes of other sources and partitions apart", async () => {
    const target = await context.target();
    const lanes = [
      await openLane(target, "apart", 0),
      await openLane(target, "apart", 1),
      await openLane(target, "apart too", 0),
    ];
    for (const lane of lanes) await lane.close();
  });

  it("says that a lane is lost when its connection ends, and gives it to another", async () => {
    const [mine, theirs] = [await context.target(), await context.target()];
    const lane = await openLane(mine, "killed");
    await context.fixture.killLanes();
    await lane.session.lost;
    const next = await openLane(theirs, "killed");
    expect(next.checkpoint.epoch).greaterThan(lane.checkpoint.epoch);
    expect(mine.classify(await rejection(lane.step(async () => undefined))).kind).equal("systemic");
    await Promise.all([lane.close(), next.close()]);
  });

  it("doesn't call a lane lost that was given up", async () => {
    const target = await context.target();
    const lane = await openLane(target, "given-up");
    let lost = false;
    lane.session.lost.then(
      () => (lost = true),
      () => (lost = true),
    );
    await lane.close();
    await (await openLane(target, "given-up")).close();
    expect(lost).equal(false);
  });

  it("has no checkpoint until it is registered, and keeps it after that", async () => {
    const target = await context.target();
    const session = (await target.lane({ source: "register", partition: 2 }))!;
    expect(await session.checkpoint()).equal(undefined);
    const first = await session.register({ position: "7-3", incarnation });
    expect(first).deep.include({
      position: "7-3",
      incarnation,
      total: 0,
      recordsSynced: 0,
      seeded: false,
      paused: false,
    });
    expect(await session.checkpoint()).deep.equal(first);
    await session[Symbol.asyncDispose]();

    const again = await openLane(target, "register", 2);
    expect(again.checkpoint).deep.equal({ ...first, epoch: first.epoch + 1 });
    await again.close();
  });

  it("moves the checkpoint with every step and shows it to others", async () => {
    const target = await context.target();
    const lane = await openLane(target, "moves");
    const moved = await lane.session.step(
      {
        from: lane.checkpoint,
        to: "18446744073709551615-18446744073709551615",
        total: 12,
        incarnation: "next",
        records: 5,
      },
      async () => undefined,
    );
    expect(moved).deep.include({
      position: "18446744073709551615-18446744073709551615",
      total: 12,
      incarnation: "next",
      recordsSynced: 5,
      epoch: lane.checkpoint.epoch,
    });
    expect(moved.lastSyncAt).within(Date.now() - 60_000, Date.now() + 60_000);
    expect(await lane.session.checkpoint()).deep.equal(moved);
    const shown = (await target.checkpoints()).filter(({ source }) => source === "moves");
    expect(shown).deep.equal([{ ...moved, source: "moves", partition: 0 }]);
    await lane.close();
  });

  it("counts the records that a step corrects, and nothing of one that is rolled back", async () => {
    const lane = await openLane(await context.target(), "records");
    const counted = await lane.step(async (transaction) => {
      await transaction.countRecords(9);
      await transaction.countRecords(-3);
    });
    expect(counted.recordsSynced).equal(7);
    expect(await lane.session.checkpoint()).deep.equal(counted);
    const failed = lane.step(async (transaction) => {
      await transaction.countRecords(5);
      throw new Error("not after all");
    });
    expect(await rejection(failed)).instanceOf(Error);
    expect((await lane.session.checkpoint())?.recordsSynced).equal(7);
    await lane.close();
  });

  it("remembers the staged part until a step doesn't name it", async () => {
    const lane = await openLane(await context.target(), "staged-through");
    const base = { to: lane.checkpoint.position, total: 0, incarnation, records: 0 };
    const staged = await lane.session.step(
      { ...base, from: lane.checkpoint, stagedThrough: "5-9" },
      async () => undefined,
    );
    expect(staged.stagedThrough).equal("5-9");
    expect((await lane.session.checkpoint())?.stagedThrough).equal("5-9");
    const over = await lane.session.step({ ...base, from: staged }, async () => undefined);
    expect(over.stagedThrough).equal(undefined);
    await lane.close();
  });

  it("fences out whoever expects another position, another part or another epoch", async () => {
    const lane = await openLane(await context.target(), "fenced");
    const stale = lane.checkpoint;
    await lane.step(async () => undefined);
    for (const from of [
      stale,
      { ...lane.checkpoint, epoch: lane.checkpoint.epoch - 1 },
      { ...lane.checkpoint, stagedThrough: "9-9" as const },
    ]) {
      const error = await rejection(
        lane.session.step({ from, to: "900-1", total: 1, incarnation, records: 0 }, async () => undefined),
      );
      expect(isLockstepError(error, "TARGET_FENCED"), String(error)).equal(true);
    }
    expect((await lane.session.checkpoint())?.position).equal(lane.checkpoint.position);
    await lane.step(async () => undefined);
    await lane.close();
  });

  it("writes no row of a step that is fenced out", async () => {
    const table = contractTable(context.fixture, "fenced_rows", { id: "integer", note: "string" });
    await table.create();
    const lane = await openLane(await context.target(), "fenced-rows");
    const target = await lane.table(table);
    const stale = lane.checkpoint;
    await lane.step(async () => undefined);
    const error = await rejection(
      lane.session.step({ from: stale, to: "900-1", total: 1, incarnation, records: 1 }, (transaction) =>
        transaction.upsert(target, [table.row("1", "late")]),
      ),
    );
    expect(isLockstepError(error, "TARGET_FENCED"), String(error)).equal(true);
    expect(await table.rows()).deep.equal([]);
    await lane.close();
  });

  it("keeps a person's pause in the target and tells the lane with its next step", async () => {
    const target = await context.target();
    const lane = await openLane(target, "paused");
    await target.setPaused({ source: "paused", partition: 0 }, true);
    expect((await lane.session.checkpoint())?.paused).equal(true);
    expect((await lane.step(async () => undefined)).paused).equal(true);
    await target.setPaused({ source: "paused", partition: 0 }, false);
    expect((await lane.step(async () => undefined)).paused).equal(false);
    const error = await rejection(target.setPaused({ source: "nobody", partition: 0 }, true));
    expect(isLockstepError(error, "LANE_UNKNOWN"), String(error)).equal(true);
    await lane.close();
  });
}
