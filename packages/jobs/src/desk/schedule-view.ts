import { nextRun, type Schedule, windowAt, type WindowState } from "@lockstep/config";
import { begunStates, type Job, type JobStore, type ScheduleRecord } from "@lockstep/core";
import { sumsOf } from "../kind/job-kinds.js";
import { requestOf } from "../schedule-request.js";

/** A schedule as it is shown. */
export interface ScheduleView extends Pick<ScheduleRecord, "name" | "pausedBy" | "missed"> {
  readonly kind: string;
  readonly options: unknown;
  readonly cron: string;
  readonly timeZone: string;
  readonly window?: { readonly from: string; readonly to: string };
  readonly windowState: WindowState;
  /** ms since 1970; absent while it is paused. */
  readonly nextAt?: number;
  /** The last job that it began, or that a person began by it. */
  readonly last?: LastJob;
}

/** What became of a schedule's last job. */
interface LastJob extends Pick<Job, "id" | "state" | "startedAt" | "finishedAt" | "code"> {
  /** Rows that it found to differ. */
  readonly differentRows?: number;
}

/** Shows a schedule, also one that no consumer has seen yet. */
export async function scheduleView(
  store: Pick<JobStore, "list" | "schedules">,
  name: string,
  schedule: Schedule,
): Promise<ScheduleView> {
  const now = Date.now();
  const kept = (await store.schedules.list()).find((record) => record.name === name);
  const { pausedBy, missed = 0 } = kept ?? {};
  const [last] = await store.list({ schedule: name, states: begunStates, limit: 1 });
  const { kind, options } = requestOf(schedule);
  const { cron, timeZone, window } = schedule;
  const nextAt = pausedBy === undefined ? nextRun(schedule, now) : undefined;
  return {
    name,
    kind,
    options,
    cron,
    timeZone,
    ...(window !== undefined && { window }),
    windowState: windowAt(schedule, now),
    missed,
    ...(pausedBy !== undefined && { pausedBy }),
    ...(nextAt !== undefined && { nextAt }),
    ...(last !== undefined && { last: summary(last) }),
  };
}

function summary(job: Job): LastJob {
  const { id, state, startedAt, finishedAt, code } = job;
  const { differentRows } = sumsOf(job);
  return {
    id,
    state,
    startedAt,
    ...(finishedAt !== undefined && { finishedAt }),
    ...(code !== undefined && { code }),
    ...(differentRows !== undefined && { differentRows }),
  };
}
