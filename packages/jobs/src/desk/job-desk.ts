import type { JobRequest, LockstepConfig } from "@lockstep/config";
import { type Job, type JobFilter, type JobStore, LockstepError } from "@lockstep/core";
import { jobCalls, jobReports, type JobReport } from "@lockstep/stream";
import type { JobSums } from "../kind/job-kind.js";
import { sumsOf } from "../kind/job-kinds.js";
import { jobStoreOf, withSync } from "../open-sync.js";
import { planOf, requestOf, schedulesOf } from "../schedule-request.js";
import { chooseSources } from "../source/choose-sources.js";
import { outboxReady } from "../source/outbox-ready.js";
import { startJob } from "../start-job.js";
import { type ScheduleView, scheduleView } from "./schedule-view.js";

/** A job as it is shown. */
export interface JobView extends Job {
  readonly source: string;
  readonly sums: JobSums;
  /** What the process that works on it says; absent when none does, or Redis is away. */
  readonly report?: JobReport;
}

/** A job that was asked for, or decided about. `isCalled`: a consumer was told; else one finds it by itself, some seconds later. */
export interface CalledJob extends JobView {
  readonly isCalled: boolean;
}

/** Where people and programs look after the jobs of a source. What is to be worked on is left to the consumers. */
export interface JobDesk {
  readonly source: string;
  list(filter: JobFilter): Promise<readonly JobView[]>;
  /** @throws LockstepError JOB_UNKNOWN. */
  find(id: string): Promise<JobView>;
  /** Checks everything; nothing has moved when it throws. @throws LockstepError JOB_LIVE; what its kind refuses. */
  start(request: JobRequest, by: string): Promise<CalledJob>;
  /** @throws LockstepError JOB_UNKNOWN, JOB_STATE. */
  pause(id: string): Promise<JobView>;
  cancel(id: string): Promise<JobView>;
  /** Also one that is running, and whose process is gone. */
  resume(id: string): Promise<CalledJob>;
  schedules(): Promise<readonly ScheduleView[]>;
  /** Now, whatever its times and its window say. @throws LockstepError SCHEDULE_UNKNOWN, and as `start`. */
  run(schedule: string, by: string): Promise<CalledJob>;
  /** @param by who pauses it; absent: it goes on. @throws LockstepError SCHEDULE_UNKNOWN. */
  setPaused(schedule: string, by: string | undefined): Promise<ScheduleView>;
  close(): Promise<void>;
}

/** Opens the desk of a source; connects on first use. @throws LockstepError CONFIG_INVALID for a source that isn't configured, or has no `url`. */
export function openJobDesk(config: LockstepConfig, source: string): JobDesk {
  const chosen = chooseSources(config, source)[0]!;
  const link = { redis: chosen.redis, source, commandTimeoutMs: 1_500 };
  const opened = jobStoreOf(chosen.source);
  const ready = outboxReady(chosen);
  const atStore = async (): Promise<JobStore> => {
    await ready();
    return opened;
  };
  const reports = jobReports(link);
  const calls = jobCalls(link);
  const schedules = schedulesOf(config, source);

  const viewed = async (jobs: readonly Job[]): Promise<JobView[]> => {
    const isWorkedOn = jobs.some(({ state }) => state === "running");
    const said = isWorkedOn ? await reports.list().catch(() => []) : [];
    return jobs.map((job) => {
      const report = job.state === "running" ? said.find((one) => one.job === job.id) : undefined;
      return { ...job, source, sums: sumsOf(job), ...(report !== undefined && { report }) };
    });
  };
  const view = async (job: Job): Promise<JobView> => (await viewed([job]))[0]!;
  const called = async (job: Job): Promise<CalledJob> => {
    const isCalled = await calls.call(job.id).then(
      () => true,
      () => false,
    );
    return { ...(await view(job)), isCalled };
  };
  const start = async (request: JobRequest, origin: Job["origin"]): Promise<CalledJob> =>
    called(await withSync(config, source, (open) => startJob(open, request, origin)));
  const configured = (name: string) => {
    const schedule = schedules[name];
    if (schedule !== undefined) return schedule;
    const known = Object.keys(schedules).join(", ");
    throw new LockstepError(
      "SCHEDULE_UNKNOWN",
      `there is no schedule ${JSON.stringify(name)} of ${source}; known: ${known || "none"}`,
    );
  };
  const show = async (name: string): Promise<ScheduleView> =>
    scheduleView(await atStore(), name, configured(name));

  return {
    source,
    list: async (filter) => viewed(await (await atStore()).list(filter)),
    find: async (id) => view(await found(await atStore(), id)),
    start: (request, by) => start(request, { by }),
    pause: async (id) => view(await (await atStore()).move(id, "paused")),
    cancel: async (id) => view(await (await atStore()).move(id, "cancelled")),
    async resume(id) {
      const store = await atStore();
      const job = await found(store, id);
      return called(job.state === "running" ? job : await store.move(id, "running"));
    },
    schedules: () => Promise.all(Object.keys(schedules).map(show)),
    run: async (name, by) => start(requestOf(configured(name)), { by, schedule: name }),
    async setPaused(name, by) {
      const plan = planOf(configured(name));
      const { schedules: kept } = await atStore();
      await kept.keep(name, plan, Date.now());
      await kept.setPaused(name, by);
      return show(name);
    },
    async close() {
      reports.close();
      await Promise.allSettled([calls.close(), opened.close()]);
    },
  };
}

async function found(store: JobStore, id: string): Promise<Job> {
  const job = await store.find(id);
  if (job !== undefined) return job;
  throw new LockstepError("JOB_UNKNOWN", `there is no job ${JSON.stringify(id)}`);
}
