import { dueBetween, type Schedule, windowAt } from "@lockstep/config";
import { type ErrorCode, isLockstepError, type Job } from "@lockstep/core";
import { withSync } from "../open-sync.js";
import { startJob } from "../start-job.js";
import { planOf, requestOf } from "../schedule-request.js";
import { explained } from "../outage.js";
import { codeOf, type WorkerRoom } from "./job-runner.js";

/** What couldn't begin so long after it was due is missed, and not made up for: it was due at night for a reason. */
const lateMs = 5 * 60_000;
/** What the clock should have said so long ago is looked at without it. */
const clockMs = 30_000;
/** Times that one look goes through. */
const mostTimes = 1_000;

/**
 * Begins what a schedule is due for. It may be called twice for one time, and by several processes at once: the record of jobs lets one of them begin, and what
 * is covered isn't looked at again.
 * @returns the job, when one was begun.
 * @throws what may pass until it is too late.
 */
export async function runDue(room: WorkerRoom, name: string, dueAt: number): Promise<Job | undefined> {
  const { store, schedules, config, source, now } = room;
  const schedule = schedules[name];
  if (schedule === undefined) return undefined;
  const { coveredAt, pausedBy } = await store.schedules.keep(name, planOf(schedule), now());
  if (dueAt <= coveredAt) return undefined;
  if (pausedBy !== undefined || !windowAt(schedule, dueAt).isOpen) {
    await store.schedules.cover(name, dueAt);
    return undefined;
  }
  if (now() - dueAt > lateMs) {
    await missLate(room, name, [dueAt]);
    return undefined;
  }
  const origin = { by: "schedule", schedule: name, dueAt };
  try {
    const job = await withSync(config, source, (open) => startJob(open, requestOf(schedule), origin));
    await store.schedules.cover(name, dueAt);
    return job;
  } catch (error) {
    if (!isLockstepError(error) || error.recovery === "retry") {
      room.refusals.set(name, { dueAt, error });
      throw error;
    }
    const own = (await store.list({ schedule: name, limit: 10 })).find((job) => job.origin.dueAt === dueAt);
    if (own === undefined) await miss(room, name, [dueAt], error.code, error);
    else await store.schedules.cover(name, dueAt);
    return undefined;
  }
}

/** Finds what was due and nobody looked at: while no consumer was there it is missed, and where only the clock was silent it still runs. */
export async function catchUp(room: WorkerRoom, name: string, schedule: Schedule): Promise<Job | undefined> {
  const { store } = room;
  const now = room.now();
  const { coveredAt, pausedBy } = await store.schedules.keep(name, planOf(schedule), now);
  const due = dueBetween(schedule, coveredAt, now - clockMs, mostTimes);
  const isPaused = pausedBy !== undefined;
  const gone = due.filter((at) => isPaused || now - at > lateMs);
  const missed = gone.filter((at) => !isPaused && windowAt(schedule, at).isOpen);
  if (missed.length > 0) await missLate(room, name, missed);
  if (gone.length > 0) await store.schedules.cover(name, gone.at(-1)!);
  let begun: Job | undefined;
  for (const at of due.slice(gone.length)) begun = (await runDue(room, name, at)) ?? begun;
  return begun;
}

/** Too late: for what kept it from beginning, where this process has tried. */
async function missLate(room: WorkerRoom, name: string, times: readonly number[]): Promise<void> {
  const refusal = room.refusals.get(name);
  room.refusals.delete(name);
  const error = refusal !== undefined && times.includes(refusal.dueAt) ? refusal.error : undefined;
  await miss(room, name, times, error === undefined ? "JOB_MISSED" : explained(error).code, error);
}

/** Kept once, whoever finds it. Of many times the last one stands for all in the list of jobs; they are counted. */
async function miss(
  { store, schedules, logger, source }: WorkerRoom,
  schedule: string,
  times: readonly number[],
  code: ErrorCode,
  error?: unknown,
): Promise<void> {
  const dueAt = times.at(-1)!;
  const { kind, options } = requestOf(schedules[schedule]!);
  await store.miss({ kind, options, origin: { by: "schedule", schedule, dueAt }, code });
  if (!(await store.schedules.cover(schedule, dueAt, times.length))) return;
  const about = { source, schedule, kind, missed: times.length, dueAt: new Date(dueAt).toISOString() };
  logger.warn({ ...about, ...(error === undefined ? {} : codeOf(error)), code }, "schedule missed");
}
