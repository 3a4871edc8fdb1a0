import {
  type ErrorCode,
  type Job,
  jobMoves,
  type JobState,
  LockstepError,
  type NewJob,
  type ScheduleRecord,
} from "@lockstep/core";

/** Columns of a job in the order of {@link jobOf}; times as milliseconds by `ms`. */
export function jobColumns(ms: (column: string) => string): string {
  return `id, kind, options, progress, state, ${ms("started_at")}, ${ms("moved_at")}, ${ms("finished_at")}, code, asked_by, schedule, due_at`;
}

/** A job from its row. */
export function jobOf(row: readonly (string | number | null)[]): Job {
  const [id, kind, options, progress, state, startedAt, movedAt, finishedAt, code, by, schedule, dueAt] = row;
  return {
    id: String(id),
    kind: String(kind),
    options: JSON.parse(String(options)),
    progress: JSON.parse(String(progress)),
    state: state as JobState,
    startedAt: Number(startedAt),
    movedAt: Number(movedAt),
    ...(finishedAt != null && { finishedAt: Number(finishedAt) }),
    ...(code != null && { code: code as ErrorCode }),
    origin: {
      by: String(by ?? "command"),
      ...(schedule != null && { schedule: String(schedule) }),
      ...(dueAt != null && { dueAt: Number(dueAt) }),
    },
  };
}

/** Columns of {@link scheduleOf}, in its order. */
export const scheduleColumns = "name, plan, covered_at, paused_by, missed";

/** What is kept of a schedule, from its row. */
export function scheduleOf(row: readonly (string | number | null)[]): ScheduleRecord {
  const [name, plan, coveredAt, pausedBy, missed] = row;
  return {
    name: String(name),
    plan: String(plan),
    coveredAt: Number(coveredAt),
    ...(pausedBy != null && { pausedBy: String(pausedBy) }),
    missed: Number(missed),
  };
}

/** Jobs of one kind that are over and stay: a schedule that runs every minute must not fill the source. */
export const keptJobs = 200;

/** States as a list of SQL literals. */
export function stateList(states: readonly JobState[]): string {
  return states.map((state) => `'${state}'`).join(", ");
}

/** States from which a job may come into this one, as a list of SQL literals. */
export function statesBefore(to: JobState): string {
  const from = (Object.keys(jobMoves) as JobState[]).filter((state) => jobMoves[state].includes(to));
  return stateList(from);
}

/** Whether a job in this state is over. */
export function isOver(state: JobState): boolean {
  return jobMoves[state].length === 0;
}

/** Ids come from outside: only digits reach a statement. @throws LockstepError JOB_UNKNOWN. */
export function jobId(id: string): string {
  if (/^\d{1,18}$/.test(id)) return id;
  throw unknownJob(id);
}

export function unknownJob(id: string): LockstepError {
  return new LockstepError("JOB_UNKNOWN", `there is no job ${JSON.stringify(id)}`);
}

export function liveJob({ kind, origin }: NewJob, cause?: unknown): LockstepError {
  const also = origin?.dueAt === undefined ? "" : ", or its schedule's time has one already";
  return new LockstepError("JOB_LIVE", `a job of kind ${kind} is running or paused${also}`, { cause });
}

export function wrongState(job: Job, to: JobState): LockstepError {
  return new LockstepError("JOB_STATE", `job ${job.id} is ${job.state} and can't become ${to}`);
}
