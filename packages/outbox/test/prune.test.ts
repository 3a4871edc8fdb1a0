import { isLockstepError, type ChangeLog, type RowNote } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { keyOf, noteOf, readAll, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

const ann = { id: "00000000-0000-4000-8000-00000000000a", name: "ann", address: "host-a/db", partition: 0 };
const bob = { id: "00000000-0000-4000-8000-00000000000b", name: "bob", address: "host-b/db", partition: 0 };

for (const engine of engines) {
  describe(`targets and pruning on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    let log: ChangeLog;
    let items: RowNote["table"];

    beforeEach(async () => {
      // Under a name of its own, as any may be.
      db = await engine.open({ table: "order_changes" });
      app = await db.session();
      log = db.log({ graceMs: 0 });
      items = { namespace: db.namespace, name: "item" };
      await app.run("create table item (id bigint primary key, n int)");
      await db.writer.describe(app.run, [items]);
    });
    afterEach(() => db.drop());

    /** One tick per id. */
    const ticks = async (...ids: number[]): Promise<void> => {
      for (const id of ids) {
        await app.transaction([noteOf(items, "insert", id)], () =>
          app.run(`insert into item values (${id}, 0)`),
        );
        await log.cut();
      }
    };
    const outboxRows = async (): Promise<number> => {
      const table = db.engine === "postgres" ? "lockstep.order_changes" : "order_changes";
      return (await app.run(`select 1 as one from ${table}`)).length;
    };

    it("starts a new target at the next uncut tick, and keeps a known one where it was", async () => {
      await ticks(1, 2);
      expect(await log.register(ann)).to.include({ position: "2-1", state: "following", name: "ann" });
      await ticks(3);
      expect(await log.register({ ...ann, name: "anna" })).to.include({ position: "2-1", name: "anna" });
      expect(await log.register({ ...ann, partition: 1 })).to.include({ position: "3-1", partition: 1 });
      expect((await log.targets()).map((target) => [target.name, target.partition])).to.deep.equal([
        ["ann", 1],
        ["anna", 0],
      ]);
    });

    it("keeps the number of partitions for every log that reads it, also when the tables are ensured again", async () => {
      expect(await log.partitions()).to.equal(undefined);
      await log.keepPartitions(4);
      await log.keepPartitions(2);
      await db.writer.ensure(app.run);
      expect(await db.log().partitions()).to.equal(2);
    });

    it("moves targets forward, never backward", async () => {
      await log.register(ann);
      await ticks(1, 2);
      await log.acknowledge([{ ...ann, position: "2-1" }]);
      await log.acknowledge([{ ...ann, position: "1-1" }]);
      const [target] = await log.targets();
      expect(target!.position).to.equal("2-1");
      expect(Math.abs(target!.seenAt - Date.now())).to.be.lessThan(60_000);
    });

    it("deletes whole ticks, and only those that every following target has applied", async () => {
      await log.register(ann);
      await log.register(bob);
      await ticks(1, 2);
      await app.transaction([noteOf(items, "update", 1), noteOf(items, "update", 2)]);
      await log.cut();
      expect(await log.prune()).to.equal(0);
      await log.acknowledge([{ ...ann, position: "3-2" }]);
      expect(await log.prune()).to.equal(0);
      await log.acknowledge([{ ...bob, position: "3-1" }]);
      expect(await log.prune()).to.equal(2);
      expect(await log.prunedThrough()).to.equal("2-1");
      expect((await readAll(log, "2-1")).map(keyOf)).to.deep.equal(["1", "2"]);
      await log.acknowledge([{ ...bob, position: "3-2" }]);
      expect(await log.prune()).to.equal(2);
      expect(await outboxRows()).to.equal(0);
      await ticks(9);
      expect((await readAll(log, "3-2")).map((event) => [event.tick, event.total])).to.deep.equal([[4n, 5]]);
    });

    it("refuses to read what is pruned", async () => {
      await log.register(ann);
      await ticks(1, 2, 3);
      await log.acknowledge([{ ...ann, position: "2-1" }]);
      await log.prune();
      for (const after of ["0-0", "1-1", "2-0"] as const) {
        const failure = await readAll(db.log(), after).catch((error: unknown) => error);
        expect(isLockstepError(failure, "HISTORY_GONE"), after).to.equal(true);
      }
      expect((await readAll(db.log(), "2-1")).map(keyOf)).to.deep.equal(["3"]);
    });

    it("prunes at most so many ticks a call", async () => {
      await log.register(ann);
      await ticks(1, 2, 3, 4, 5);
      await log.acknowledge([{ ...ann, position: "5-1" }]);
      expect([
        await log.prune({ maxTicks: 2 }),
        await log.prune({ maxTicks: 2 }),
        await log.prune({ maxTicks: 2 }),
      ]).to.deep.equal([2, 2, 1]);
    });

    it("keeps what a transaction in progress at the bound still brings", async () => {
      const late = await db.session();
      await log.register(ann);
      await late.run("begin");
      await late.run("insert into item values (1, 0)");
      await db.writer.append(late.run, [noteOf(items, "insert", 1)], {});
      await ticks(2, 3);
      await log.acknowledge([{ ...ann, position: "2-1" }]);
      expect(await log.prune()).to.equal(2);
      await late.run("commit");
      await log.cut();
      expect((await readAll(log, "2-1")).map(keyOf)).to.deep.equal(["1"]);
    });

    it("keeps applied events for the grace period", async () => {
      const patient = db.log({ graceMs: 600_000 });
      await log.register(ann);
      await ticks(1);
      await log.acknowledge([{ ...ann, position: "1-1" }]);
      expect(await patient.prune()).to.equal(0);
      expect(await log.prune()).to.equal(1);
    });

    it("keeps events for the retention time while no target is registered", async () => {
      await ticks(1, 2);
      expect(await log.prune()).to.equal(0);
      expect(await db.log({ maxAgeMs: 0 }).prune()).to.equal(2);
    });

    it("marks a target that lags beyond the limit instead of keeping everything for it", async () => {
      await log.register(ann);
      await log.register(bob);
      await ticks(1, 2, 3, 4);
      await log.acknowledge([{ ...bob, position: "4-1" }]);
      const strict = db.log({ graceMs: 0, maxEvents: 2 });
      expect(await strict.prune()).to.equal(4);
      const state = async (): Promise<unknown> => (await log.targets()).map((t) => [t.name, t.state]);
      expect(await state()).to.deep.equal([
        ["ann", "needs-backfill"],
        ["bob", "following"],
      ]);
      await log.acknowledge([{ ...ann, position: "4-1" }]);
      expect(await state()).to.deep.equal([
        ["ann", "following"],
        ["bob", "following"],
      ]);
    });

    it("gives up no target because of a clock that jumped, but one that stays too far behind", async () => {
      const table = db.engine === "postgres" ? "lockstep.tick" : "lockstep_tick";
      const day = db.engine === "postgres" ? "interval '8 days'" : "interval 8 day";
      const state = async (): Promise<unknown> => (await log.targets()).map((t) => [t.name, t.state]);
      const jumpy = db.log({ graceMs: 0, spanMs: 400 });
      await log.register(ann);
      await ticks(1, 2);
      await app.run(`update ${table} set at = at - ${day}`);
      expect(await jumpy.prune()).to.equal(0);
      expect(await state()).to.deep.equal([["ann", "following"]]);
      await app.run(`update ${table} set at = at + ${day}`);
      expect(await jumpy.prune()).to.equal(0);
      await log.acknowledge([{ ...ann, position: "1-1" }]);
      await app.run(`update ${table} set at = at - ${day}`);
      await eventually(async () => (await jumpy.prune()) > 0 && (await outboxRows()) === 0, {
        intervalMs: 50,
      });
      expect(await state()).to.deep.equal([["ann", "needs-backfill"]]);
    });

    it("forgets a target by id or name", async () => {
      await log.register(ann);
      await log.register({ ...ann, partition: 1 });
      await log.register(bob);
      expect(await log.removeTarget("ann")).to.equal(2);
      expect(await log.removeTarget(bob.id)).to.equal(1);
      expect(await log.removeTarget("nobody")).to.equal(0);
    });

    it("doesn't prune past a target that registers at the same time", async () => {
      await log.register(ann);
      await ticks(1, 2);
      await log.acknowledge([{ ...ann, position: "2-1" }]);
      await app.run("begin");
      // The lock that both take: whoever comes second sees what the first did.
      await app.run(
        `select 1 as one from ${db.engine === "postgres" ? "lockstep.state" : "lockstep_state"} for update`,
      );
      const registering = log.register(bob);
      const other = await db.session();
      await eventually(() => db.someoneWaits(other), { what: "the registration waits" });
      const pruning = log.prune();
      await app.run("commit");
      const [target] = await Promise.all([registering, pruning]);
      await ticks(3);
      expect((await readAll(db.log(), target.position)).map(keyOf)).to.deep.equal(["3"]);
    });

    it("tells the backlog from counters: events not yet applied everywhere, and the age of the oldest", async () => {
      await log.register(ann);
      expect(await log.backlog()).to.deep.equal({ events: 0, oldestMs: 0 });
      await ticks(1, 2);
      await app.transaction([noteOf(items, "update", 1), noteOf(items, "update", 2)]);
      await log.cut();
      const all = await log.backlog();
      expect(all.events).to.equal(4);
      expect(all.oldestMs).to.be.within(0, 60_000);
      await log.acknowledge([{ ...ann, position: "3-1" }]);
      expect((await log.backlog()).events).to.equal(1);
      await log.acknowledge([{ ...ann, position: "3-2" }]);
      expect(await log.backlog()).to.deep.equal({ events: 0, oldestMs: 0 });
      await log.removeTarget("ann");
      expect((await log.backlog()).events).to.equal(4);
    });
  });
}
