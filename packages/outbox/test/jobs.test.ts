import type { JobOrigin, JobStore } from "@lockstep/core";
import { expect } from "chai";
import { mysqlJobStore, postgresJobStore } from "../src/index.js";
import type { SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

for (const engine of engines) {
  describe(`the record of jobs and schedules on ${engine.name}`, () => {
    let db: SourceDatabase;
    let jobs: JobStore;

    before(async () => {
      db = await engine.open();
      jobs =
        db.engine === "postgres"
          ? postgresJobStore({ connection: db.url, source: "test" })
          : mysqlJobStore({ connection: db.url });
    });
    after(async () => {
      await jobs.close();
      await db.drop();
    });

    const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
    const begin = (kind: string, origin: JobOrigin) =>
      jobs.begin({ kind, options: { n: 1 }, progress: {}, origin });

    it("a schedule's time has one job, whoever thinks that it is due, also when that one is over", async () => {
      const origin = { by: "schedule", schedule: "nightly", dueAt: 1_700_000_000_000 };
      const job = await begin("full", origin);
      expect(job.origin).to.deep.equal(origin);
      await jobs.move(job.id, "done");
      expect(await begin("full", origin).catch(codeOf)).to.equal("JOB_LIVE");
      await jobs.miss({ kind: "full", options: {}, origin, code: "JOB_LIVE" });
      expect(await jobs.list({ schedule: "nightly", limit: 9 })).to.have.length(1);
      const again = await begin("full", { ...origin, dueAt: origin.dueAt + 1 });
      await jobs.miss({
        kind: "full",
        options: {},
        origin: { ...origin, dueAt: origin.dueAt + 2 },
        code: "JOB_LIVE",
      });
      const [missed, ...older] = await jobs.list({ schedule: "nightly", limit: 9 });
      expect(missed).to.include({ code: "JOB_LIVE" });
      expect(missed!.finishedAt).to.be.a("number");
      expect(older.map(({ id }) => id)).to.deep.equal([again.id, job.id]);
      expect(await jobs.list({ states: ["running"], before: again.id, limit: 9 })).to.deep.equal([]);
      expect(await jobs.list({ before: again.id, limit: 9 })).to.have.length(1);
    });

    it("keeps the newest of each kind, whatever is live, and what ran whatever was missed", async () => {
      const done = await begin("repair", { by: "ada" });
      await jobs.move(done.id, "done");
      const live = await begin("repair", { by: "ada" });
      for (let n = 0; n < 202; n++) {
        await jobs.miss({
          kind: "repair",
          options: {},
          origin: { by: "schedule" },
          code: "SOURCE_BUSY",
        });
      }
      const kept = await jobs.list({ kind: "repair", limit: 1_000 });
      expect(kept).to.have.length(202);
      expect(kept.slice(-2).map(({ id }) => id)).to.deep.equal([live.id, done.id]);
      expect(await jobs.list({ kind: "full", limit: 9 })).to.have.length(3);
    });

    it("covers a schedule's times forward only, and counts what was missed once", async () => {
      const { schedules } = jobs;
      expect(await schedules.keep("nightly", "0 2 * * * UTC", 1_000)).to.deep.equal({
        name: "nightly",
        plan: "0 2 * * * UTC",
        coveredAt: 1_000,
        missed: 0,
      });
      expect(await schedules.cover("nightly", 2_000, 3)).to.equal(true);
      expect(await schedules.cover("nightly", 2_000, 3)).to.equal(false);
      expect(await schedules.cover("nightly", 1_500)).to.equal(false);
      expect(await schedules.keep("nightly", "0 2 * * * UTC", 9_000)).to.include({
        coveredAt: 2_000,
        missed: 3,
      });
      expect(await schedules.setPaused("nightly", "ada")).to.equal(true);
      expect(await schedules.setPaused("weekly", "ada")).to.equal(false);
      expect(await schedules.list()).to.deep.include.members([
        { name: "nightly", plan: "0 2 * * * UTC", coveredAt: 2_000, missed: 3, pausedBy: "ada" },
      ]);
      await schedules.setPaused("nightly", undefined);
      const changed = await schedules.keep("nightly", "0 3 * * * UTC", 9_000);
      expect(changed).to.not.have.property("pausedBy");
      expect(changed).to.include({ coveredAt: 9_000 });
    });
  });
}
