import { errorTable } from "@lockstep/core";
import {
  type JobView as DeskJob,
  reportsOf,
  type ScheduleView as DeskSchedule,
  shownJob,
} from "@lockstep/jobs";
import { jobIdOf } from "../fleet/addresses.js";
import type { JobDetail, JobView, ScheduleView } from "./job-schema.js";

/** A job for the caller. Pure. */
export function jobView(job: DeskJob): JobView {
  const { source, kind, state, code, origin, startedAt, movedAt, finishedAt, sums, report } = job;
  const { rows, expectedRows, removedRows, differentRows, table } = sums;
  return {
    id: jobIdOf(source, job.id),
    source,
    kind,
    state,
    code: code ?? null,
    hint: code === undefined ? null : errorTable[code].hint,
    by: origin.by,
    schedule: origin.schedule ?? null,
    dueAt: instant(origin.dueAt),
    startedAt: instant(startedAt),
    movedAt: instant(movedAt),
    finishedAt: instant(finishedAt),
    rows,
    expectedRows: expectedRows ?? null,
    removedRows: removedRows ?? null,
    differentRows: differentRows ?? null,
    table: table ?? null,
    rowsPerSecond: report?.rowsPerSecond ?? null,
    secondsLeft: secondsLeft(job),
    waitingFor: report?.waitingFor ?? null,
    owner: report?.owner ?? null,
  };
}

/** With what was asked for and found. Rows that were named to be repaired are left out: there may be thousands. Pure. */
export function jobDetail(job: DeskJob): JobDetail {
  return { ...jobView(job), options: shownJob(job).options, reports: [...reportsOf(job)] };
}

/** A schedule for the caller. Pure. */
export function scheduleView(source: string, schedule: DeskSchedule): ScheduleView {
  const { name, kind, options, cron, timeZone, window, windowState, nextAt, pausedBy, missed, last } =
    schedule;
  return {
    name,
    source,
    kind,
    options,
    cron,
    timeZone,
    window: window === undefined ? null : { ...window, open: windowState.isOpen },
    nextAt: instant(nextAt),
    pausedBy: pausedBy ?? null,
    missed,
    last: last === undefined ? null : lastRun(source, last),
  };
}

function lastRun(source: string, last: NonNullable<DeskSchedule["last"]>): NonNullable<ScheduleView["last"]> {
  const { id, state, code, startedAt, finishedAt, differentRows } = last;
  return {
    id: jobIdOf(source, id),
    state,
    code: code ?? null,
    startedAt: instant(startedAt),
    finishedAt: instant(finishedAt),
    differentRows: differentRows ?? null,
  };
}

function secondsLeft({ sums: { rows, expectedRows }, report }: DeskJob): number | null {
  if (expectedRows === undefined || !report?.rowsPerSecond) return null;
  return Math.ceil(Math.max(0, expectedRows - rows) / report.rowsPerSecond);
}

function instant(ms: number): string;
function instant(ms: number | undefined): string | null;
function instant(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
