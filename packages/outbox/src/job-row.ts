import { type ErrorCode, type Job, jobMoves, type JobState, LockstepError } from "@lockstep/core";

/** Columns of a job in the order of {@link jobOf}; times as milliseconds by `ms`. */
export function jobColumns(ms: (column: string) => string): string {
  return `id, kind, options, progress, state, ${ms("started_at")}, ${ms("moved_at")}, ${ms("finished_at")}, code`;
}

/** A job from its row. */
export function jobOf(row: readonly (string | number | null)[]): Job {
  const [id, kind, options, progress, state, startedAt, movedAt, finishedAt, code] = row;
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
  };
}

/** States from which a job may come into this one, as a list of SQL literals. */
export function statesBefore(to: JobState): string {
  const from = (Object.keys(jobMoves) as JobState[]).filter((state) => jobMoves[state].includes(to));
  return from.map((state) => `'${state}'`).join(", ");
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

export function liveJob(kind: string, cause?: unknown): LockstepError {
  return new LockstepError("JOB_LIVE", `a job of kind ${kind} is running or paused`, { cause });
}

export function wrongState(job: Job, to: JobState): LockstepError {
  return new LockstepError("JOB_STATE", `job ${job.id} is ${job.state} and can't become ${to}`);
}
