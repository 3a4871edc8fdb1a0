import { setTimeout as pause } from "node:timers/promises";
import { windowAt } from "@lockstep/config";
import { isLockstepError, type Job, liveStates } from "@lockstep/core";
import type { ServiceContext } from "@lockstep/runtime";
import { type JobClock, startJobClock } from "@lockstep/stream";
import { isForConsumers } from "../kind/job-kinds.js";
import { jobStoreOf } from "../open-sync.js";
import { schedulesOf } from "../schedule-request.js";
import { chooseSources } from "../source/choose-sources.js";
import { outboxReady } from "../source/outbox-ready.js";
import { codeOf, type JobRunner, jobRunner, windowOf, type WorkerRoom } from "./job-runner.js";
import { quietJobs } from "./quiet-jobs.js";
import { catchUp, runDue } from "./run-schedules.js";

/** How often a worker looks for itself. */
export interface JobWorkerSettings {
  /** Between two looks at the record of jobs, ms. Default 5 000. */
  readonly lookMs?: number;
  /** A running job that hasn't moved for so long, and that nobody holds, is taken up, ms. Default 10 000. */
  readonly quietMs?: number;
  /** Between two looks at what is scheduled, and at what was missed, ms. Default 30 000. */
  readonly scheduleMs?: number;
  /** ms since 1970. Default: this machine's clock. */
  readonly now?: () => number;
}

const liveJobs = 100;
const endMs = 6_000;

/**
 * Begins the jobs of a source that schedules are due for, and works on jobs: those, what requests ask for, and what other processes left behind. Several workers
 * may run. Disposing gives up what is in hand, within some seconds; it stays `running`, and the next worker goes on.
 * @throws LockstepError CONFIG_INVALID for a source without `url`.
 */
export async function startJobWorker(
  { config, logger }: ServiceContext,
  source: string,
  { lookMs = 5_000, quietMs = 10_000, scheduleMs = 30_000, now = Date.now }: JobWorkerSettings = {},
): Promise<AsyncDisposable> {
  const chosen = chooseSources(config, source)[0]!;
  const store = jobStoreOf(chosen.source);
  const ready = outboxReady(chosen);
  const schedules = schedulesOf(config, source);
  const room: WorkerRoom = { config, source, store, schedules, logger, refusals: new Map(), now };
  const runner = jobRunner(room);
  const takeUp = async (job: Job | undefined): Promise<void> =>
    job === undefined ? undefined : runner.takeUp(job, false);
  const clock = await startJobClock({
    redis: chosen.redis,
    source,
    logger,
    onDue: async (schedule, dueAt) => takeUp(await runDue(room, schedule, dueAt)),
    async onCall(id) {
      const job = await store.find(id);
      if (job?.state === "running") await runner.takeUp(job, true);
    },
  });
  const quiet = quietJobs(quietMs);
  const looks = [
    everySoOften(lookMs, room, "jobs could not be looked at", async () => {
      await ready();
      await lookAtJobs(room, runner, quiet);
    }),
    everySoOften(scheduleMs, room, "schedules could not be looked at", async () => {
      await ready();
      await lookAtSchedules(room, clock, takeUp);
    }),
  ];
  return {
    async [Symbol.asyncDispose]() {
      for (const look of looks) look.stop();
      const ending = [
        clock[Symbol.asyncDispose](),
        runner[Symbol.asyncDispose](),
        ...looks.map(({ done }) => done),
      ];
      // What hangs at a database that is away must not hold up the lanes' end: whatever a job keeps is kept.
      await Promise.race([Promise.all(ending), pause(endMs, undefined, { ref: false })]);
      await store.close();
    },
  };
}

async function lookAtJobs(
  { store, schedules, now }: WorkerRoom,
  runner: JobRunner,
  quiet: ReturnType<typeof quietJobs>,
): Promise<void> {
  await runner.closeWindows();
  const live = await store.list({ states: liveStates, limit: liveJobs });
  for (const job of live.filter(({ state, code }) => state === "paused" && code === "JOB_WINDOW_CLOSED")) {
    const times = windowOf(job, schedules);
    // One whose schedule is no longer configured waits for a person.
    if (times === undefined || !windowAt(times, now()).isOpen) continue;
    // Another worker may be faster.
    const moved = await store.move(job.id, "running").catch(() => undefined);
    if (moved !== undefined) await runner.takeUp(moved, false);
  }
  const running = live.filter(
    (job) => job.state === "running" && isForConsumers(job) && !runner.worksOn(job.id),
  );
  const gone = quiet.among(running, performance.now());
  for (const job of running) {
    if (gone.includes(job.id) && (await hasNobody(store, job.id))) await runner.takeUp(job, false);
  }
}

/** Whether no process holds a job. */
async function hasNobody(store: WorkerRoom["store"], id: string): Promise<boolean> {
  const claim = await store.claim(id);
  await claim?.[Symbol.asyncDispose]();
  return claim !== undefined;
}

async function lookAtSchedules(
  room: WorkerRoom,
  clock: JobClock,
  takeUp: (job: Job | undefined) => Promise<void>,
): Promise<void> {
  const { schedules, logger, source } = room;
  // Before the clock is set: it would cover what was missed before. One that can't begin must not hold up the others.
  for (const [name, schedule] of Object.entries(schedules)) {
    try {
      await takeUp(await catchUp(room, name, schedule));
    } catch (error) {
      logger.warn({ source, schedule: name, ...codeOf(error) }, "schedule could not be begun");
    }
  }
  await clock.keep(Object.entries(schedules).map(([name, { cron, timeZone }]) => ({ name, cron, timeZone })));
}

/** Looks at once and then every so often; what can't be looked at is said once, until it can. */
function everySoOften(
  ms: number,
  { logger, source }: WorkerRoom,
  complaint: string,
  look: () => Promise<void>,
): { stop(): void; readonly done: Promise<void> } {
  const stopped = new AbortController();
  let said = "";
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await look();
        said = "";
      } catch (error) {
        const what = isLockstepError(error) ? error.code : "error";
        if (what !== said && !stopped.signal.aborted) logger.warn({ source, ...codeOf(error) }, complaint);
        said = what;
      }
      await pause(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  return { stop: () => stopped.abort(), done: loop() };
}
