import type { Job } from "@lockstep/core";
import type { CalledJob, ScheduleView } from "@lockstep/jobs";
import { eventually, type NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { openSyncRig, type SyncRig, untilEqual } from "../sync/rig.js";

const rows = 600;
const quick = { jobs: { lookMs: 100, quietMs: 400, scheduleMs: 200 } };
const day = 86_400_000;

describe("jobs that a consumer works on", () => {
  let rig: SyncRig;
  const children: NodeProcess[] = [];

  before(async () => {
    const numbers = Array.from({ length: rows }, (_, i) => i + 1);
    rig = await openSyncRig({
      kind: "postgres",
      capture: "trigger",
      targets: { mirror: "postgres" },
      tables: ["item"],
      setup: [
        "create table item (id int primary key, v text)",
        `insert into item values ${numbers.map((n) => `(${n}, 'value ${n}')`).join(", ")}`,
      ],
      schedules: {
        checks: { kind: "verify", cron: "* * * * * *", entities: ["item"] },
        yearly: { kind: "full", cron: "0 0 1 1 *", rate: 400 },
        nightly: {
          kind: "full",
          cron: "0 23 * * *",
          window: { from: "22:00", to: "06:00" },
          rate: 400,
          keepExtra: true,
        },
      },
    });
    await rig.stopConsumer();
    await rig.startConsumer(quick);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child[Symbol.asyncDispose]();
  });
  after(async () => rig?.[Symbol.asyncDispose]());

  const until = (what: string, id: string, probe: (job: Job) => boolean): Promise<Job> =>
    eventually(
      async () => {
        const job = (await rig.jobs.find(id))!;
        return probe(job) ? job : undefined;
      },
      { what, timeoutMs: 60_000, intervalMs: 30 },
    );
  const copied = ({ progress }: Job): number =>
    (progress as { tables: { rows: number }[] }).tables.reduce((sum, table) => sum + table.rows, 0);
  const one = async (...args: string[]): Promise<CalledJob> => {
    const said = await rig.lockstep(...args, "--json");
    expect(said.code, said.error).to.equal(0);
    return said.json<{ job: CalledJob }>().job;
  };
  const schedule = async (name: string): Promise<ScheduleView> => {
    const { schedules } = (await rig.lockstep("schedules", "list", "--json")).json<{
      schedules: ScheduleView[];
    }>();
    return schedules.find((one) => one.name === name)!;
  };
  /** Holds one of the last rows: no full sync is over before it is let go of. */
  const hold = async (): Promise<() => Promise<void>> => {
    const app = await rig.session();
    await app.query(`begin; update item set v = v where id = ${rows - 10}`);
    return async () => {
      await app.query("rollback");
      await app[Symbol.asyncDispose]();
    };
  };
  const spawn = async (): Promise<NodeProcess> => {
    const child = await rig.spawnConsumer();
    children.push(child);
    return child;
  };

  it("are begun by a schedule, one for each time, until that is paused", async () => {
    // The rows aren't in the target yet: a verify that says so has really compared.
    const done = () => rig.jobs.list({ schedule: "checks", states: ["done"], limit: 50 });
    await eventually(async () => (await done()).length >= 2, { what: "two runs" });
    // Whatever Redis knew of it comes from the configuration again.
    await rig.emptyRedis();
    const before = (await done()).length;
    await eventually(async () => (await done()).length > before, {
      what: "runs after the loss of Redis",
    });
    const [newest] = await done();
    expect(newest!.origin.by).to.equal("schedule");
    expect((await rig.lockstep("jobs", "show", newest!.id)).out.join("\n")).to.include(`${rows} missing`);
    expect((await rig.lockstep("schedules", "pause", "checks")).code).to.equal(0);
    expect(await schedule("checks")).to.have.property("pausedBy");
    const covered = async () =>
      (await rig.jobs.schedules.list()).find(({ name }) => name === "checks")!.coveredAt;
    const untilPassedBy = async (): Promise<void> => {
      const from = await covered();
      await eventually(async () => (await covered()) > from + 1_000, { what: "times that pass it by" });
    };
    // What was due before the pause has begun by then, or never does.
    await untilPassedBy();
    await eventually(async () => (await rig.jobs.list({ states: ["running"], limit: 1 })).length === 0);
    const ran = await rig.jobs.list({ schedule: "checks", limit: 200 });
    await untilPassedBy();
    expect(await rig.jobs.list({ schedule: "checks", limit: 200 })).to.have.length(ran.length);
    const due = ran.map(({ origin }) => origin.dueAt);
    expect(new Set(due).size).to.equal(due.length);
  });

  it("run when a person wants it, are shown with rate and time, paused, resumed, and never two of a kind", async () => {
    const letGo = await hold();
    const { id, origin, ...begun } = await one("schedules", "run", "yearly");
    expect(begun).to.include({ kind: "full", isCalled: true });
    expect(origin).to.include({ schedule: "yearly" }).and.not.have.property("dueAt");
    await until("rows", id, (job) => copied(job) > 100);
    const shown = await eventually(async () => {
      const job = await one("jobs", "show", id);
      return (job.report?.rowsPerSecond ?? 0) > 0 ? job : undefined;
    });
    expect(shown.sums).to.deep.include({ table: "public.item" });
    const second = await rig.lockstep("schedules", "run", "yearly");
    expect([second.code, second.error.includes("JOB_LIVE")]).to.deep.equal([2, true]);
    await one("jobs", "pause", id);
    const paused = await until("a pause", id, ({ state }) => state === "paused");
    await letGo();
    // What was under way when it was paused is not kept.
    expect((await one("jobs", "resume", id)).isCalled).to.equal(true);
    await until("more rows", id, (job) => copied(job) > copied(paused));
    const done = await until("the end", id, ({ state }) => state === "done");
    expect(copied(done)).to.equal(rows);
    await untilEqual(rig, "mirror");
    expect((await rig.lockstep("jobs", "resume", id)).error).to.include("JOB_STATE");
    expect((await rig.lockstep("jobs", "show", "999")).error).to.include("JOB_UNKNOWN");
    expect((await rig.lockstep("schedules", "run", "weekly")).error).to.include("SCHEDULE_UNKNOWN");
  });

  it("go on in another consumer, whether their process was told to stop or was killed", async () => {
    await rig.stopConsumer();
    const letGo = await hold();
    const first = await spawn();
    const { id } = await one("schedules", "run", "yearly");
    const left = await until("rows", id, (job) => copied(job) > 50);
    expect(await first.stop(), first.output.join("\n")).to.equal(0);
    expect(left.state).to.equal("running");
    const second = await spawn();
    // Nobody calls: the second finds it.
    const before = await rig.jobs.find(id);
    await one("jobs", "resume", id);
    await until("rows of the second", id, (job) => copied(job) > copied(before!) + 20);
    await second.kill();
    await letGo();
    await rig.startConsumer(quick);
    const done = await until("the end", id, ({ state }) => state === "done");
    // Every row once: a chunk and its progress are one transaction.
    expect(copied(done)).to.equal(rows);
  });

  it("are missed while one of their kind is live, or nobody was there: kept, counted, and not made up for", async () => {
    const live = await rig.jobs.begin({ kind: "verify", options: {}, progress: { rows: 0, reports: [] } });
    await rig.jobs.move(live.id, "paused");
    await rig.lockstep("schedules", "resume", "checks");
    const [refused] = await eventually(async () => {
      const found = await rig.jobs.list({ schedule: "checks", states: ["missed"], limit: 5 });
      return found.length > 0 ? found : undefined;
    });
    expect(refused).to.include({ code: "JOB_LIVE" });
    await rig.lockstep("schedules", "pause", "checks");
    await rig.jobs.move(live.id, "cancelled");

    await rig.stopConsumer();
    await rig.source.query(
      `update lockstep.schedule set covered_at = covered_at - ${3 * day} where name = 'nightly'`,
    );
    await rig.startConsumer(quick);
    await eventually(async () => (await schedule("nightly")).missed >= 2, { what: "missed nights" });
    expect((await schedule("nightly")).missed).to.be.within(2, 4);
    const missed = await rig.jobs.list({ schedule: "nightly", limit: 5 });
    expect(missed.map(({ state, code }) => [state, code])).to.deep.equal([["missed", "JOB_MISSED"]]);
    expect((await rig.lockstep("jobs", "list", "--schedule", "nightly")).out[0]).to.include(
      "missed (JOB_MISSED)",
    );
  });

  it("begin though the process of one that was just cancelled still holds its lock", async () => {
    const before = await rig.jobs.begin({ kind: "full", options: {}, progress: { tables: [] } });
    const claim = (await rig.jobs.claim(before.id))!;
    expect((await rig.lockstep("sync", "cancel")).code).to.equal(0);
    const next = rig.lockstep("sync", "full");
    await eventually(async () => (await rig.jobs.list({ kind: "full", states: ["running"], limit: 1 }))[0], {
      what: "the next job",
    });
    expect((await rig.lockstep("sync", "resume")).error).to.include("JOB_LIVE");
    await claim[Symbol.asyncDispose]();
    const { code, out } = await next;
    expect(code, out.join("\n")).to.equal(0);
  });

  it("fail at once where they stand on a mistake, and say which and where", async () => {
    const { id } = await rig.jobs.begin({ kind: "full", options: { targets: 7 }, progress: { tables: [] } });
    const { code, error } = await rig.lockstep("sync", "resume", id);
    expect(code).to.equal(1);
    expect(error).to.match(/TypeError \([a-z-]+\.js:\d+\).*\[JOB_UNEXPECTED\]/s);
    expect(await rig.jobs.find(id)).to.include({ state: "failed", code: "JOB_UNEXPECTED" });
  });

  it("stop when the window of their schedule closes, and go on when it opens", async () => {
    const at = (time: string): number => new Date(`2026-06-01T${time}Z`).getTime();
    let clock = at("05:59:59");
    await rig.stopConsumer();
    const { options, progress } = (await rig.jobs.list({ kind: "full", states: ["done"], limit: 1 }))[0]!;
    const fresh = {
      tables: [
        {
          ...(progress as { tables: object[] }).tables[0],
          phase: "copying",
          rows: 0,
          through: [String(rows)],
        },
      ],
    };
    const job = await rig.jobs.begin({
      kind: "full",
      options: { ...(options as object), maxRowsPerSecond: 150 },
      progress: fresh,
      origin: { by: "schedule", schedule: "nightly", dueAt: 1 },
    });
    const letGo = await hold();
    await rig.startConsumer({ jobs: { ...quick.jobs, now: () => clock } });
    await until("rows", job.id, (now) => copied(now) > 0);
    clock = at("06:00:00");
    const closed = await until("the end of the window", job.id, ({ state }) => state === "paused");
    expect(closed.code).to.equal("JOB_WINDOW_CLOSED");
    expect(copied(closed)).to.be.within(1, rows - 1);
    await letGo();
    clock = at("22:00:00");
    const done = await until("the end", job.id, ({ state }) => state === "done");
    expect(copied(done)).to.equal(rows);
  });
});
