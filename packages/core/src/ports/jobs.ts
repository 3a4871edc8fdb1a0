import type { ErrorCode } from "../errors.js";
import type { RunStatement } from "./outbox.js";

/**
 * Where a job stands. `running` and `paused` are live; the others are over and stay so.
 * A job whose process died is still `running`: whoever claims it next goes on from its progress.
 * `missed`: a schedule was due and nothing began, for the reason in `code`; such a record has no progress.
 */
export type JobState = "running" | "paused" | "cancelled" | "failed" | "done" | "missed";

/** Which state may follow which: the one place that says so. */
export const jobMoves: Readonly<Record<JobState, readonly JobState[]>> = {
  running: ["paused", "cancelled", "failed", "done"],
  paused: ["running", "cancelled"],
  cancelled: [],
  failed: [],
  done: [],
  missed: [],
};

/** States in which a job is not over. */
export const liveStates = ["running", "paused"] as const satisfies readonly JobState[];

/** States of jobs that have begun, whatever became of them. */
export const begunStates = [
  "running",
  "paused",
  "cancelled",
  "failed",
  "done",
] as const satisfies readonly JobState[];

/** Why there is a job. */
export interface JobOrigin {
  /** Who asked for it: `command`, `schedule`, or the name of whoever sent a request. */
  readonly by: string;
  /** The schedule it belongs to. */
  readonly schedule?: string;
  /** When that one was due, ms since 1970; absent when a person ran it. One schedule has one job for one time. */
  readonly dueAt?: number;
}

/** Long work on a source, kept beside its outbox: any process may go on with it, none may do it twice. */
export interface Job {
  readonly id: string;
  /** At most one of a kind is live. */
  readonly kind: string;
  /** What was asked for; never changes. JSON. */
  readonly options: unknown;
  /** How far it is. JSON. */
  readonly progress: unknown;
  readonly state: JobState;
  /** Milliseconds since 1970, by the source's clock. */
  readonly startedAt: number;
  /** When its progress or state last moved. */
  readonly movedAt: number;
  readonly finishedAt?: number;
  /** Why it failed. */
  readonly code?: ErrorCode;
  readonly origin: JobOrigin;
}

/** What a new job is made of. */
export type NewJob = Pick<Job, "kind" | "options" | "progress"> & { readonly origin?: JobOrigin };

/** Which jobs are listed; what is left out doesn't matter. */
export interface JobFilter {
  readonly kind?: string;
  readonly states?: readonly JobState[];
  readonly schedule?: string;
  /** Older than this one. */
  readonly before?: string;
  readonly limit: number;
}

/** A job that this process works on, until disposed or until the session ends: a session lock says so. */
export interface ClaimedJob extends AsyncDisposable {
  readonly id: string;
  /** Resolves when the session ended by itself: somebody else may claim the job. */
  readonly lost: Promise<void>;
  read(): Promise<Job>;
  /**
   * One short transaction of the source: runs `work`, then keeps the progress it gives, and commits both, or neither.
   *
   * The session yields to the application: it waits for locks, and holds them, for less than the database's deadlock check takes
   * (PROTOCOL.md 22). What it had to give up throws an error that {@link yielded} knows.
   * `absence`: what is read and isn't there stays so until the commit (PROTOCOL.md 21).
   * @returns false, all rolled back, when the job is no longer `running`, or somebody else claimed it.
   */
  step(
    work: (run: RunStatement) => Promise<{ readonly progress: unknown }>,
    options?: { readonly absence?: boolean },
  ): Promise<boolean>;
  /** True for an error that says that the step gave way to somebody's lock: to be tried again, with less. */
  yielded(error: unknown): boolean;
}

/** What is kept of a schedule, whatever becomes of Redis. */
export interface ScheduleRecord {
  readonly name: string;
  /** Its times, as configured. */
  readonly plan: string;
  /** Whatever was due up to here has run, was missed, or was not to run; ms since 1970. */
  readonly coveredAt: number;
  /** Who paused it; absent while it isn't paused. */
  readonly pausedBy?: string;
  /** Runs that were due and didn't happen, since the schedule is known. */
  readonly missed: number;
}

/** The schedules of a source, beside its jobs. */
export interface ScheduleStore {
  /** The record of a schedule. A new one, and one whose plan is another now, is covered up to `now`. */
  keep(name: string, plan: string, now: number): Promise<ScheduleRecord>;
  list(): Promise<readonly ScheduleRecord[]>;
  /** Nothing up to `at` is due any more, of which so many runs were missed. Never backward: false when it was covered already, and nothing is counted. */
  cover(name: string, at: number, missed?: number): Promise<boolean>;
  /** @param by who pauses it; absent: it goes on. @returns false when there is no such record. */
  setPaused(name: string, by: string | undefined): Promise<boolean>;
}

/** The jobs of a source. One per engine; another place for sources that hold nothing of ours can follow (PROTOCOL.md 36). */
export interface JobStore {
  /** Of each kind the newest 200 stay that are over, and as many that were missed. @throws LockstepError JOB_LIVE when one of the kind is live, or the schedule's time has a job already. */
  begin(job: NewJob): Promise<Job>;
  /** Keeps that a schedule was due and nothing began. Harmless when its time has a job already. */
  miss(
    job: Pick<Job, "kind" | "options"> & { readonly origin: JobOrigin; readonly code: ErrorCode },
  ): Promise<void>;
  find(id: string): Promise<Job | undefined>;
  /** The newest first. */
  list(filter: JobFilter): Promise<readonly Job[]>;
  /** @throws LockstepError JOB_UNKNOWN; JOB_STATE when its state doesn't allow it ({@link jobMoves}). */
  move(id: string, to: JobState, code?: ErrorCode): Promise<Job>;
  /** Makes the job this process's own; `undefined` while another process works on one of its kind. @throws LockstepError JOB_UNKNOWN. */
  claim(id: string): Promise<ClaimedJob | undefined>;
  readonly schedules: ScheduleStore;
  close(): Promise<void>;
}
