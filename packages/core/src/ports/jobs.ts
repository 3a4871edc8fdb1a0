import type { ErrorCode } from "../errors.js";
import type { RunStatement } from "./outbox.js";

/**
 * Where a job stands. `running` and `paused` are live; the others are over and stay so.
 * A job whose process died is still `running`: whoever claims it next goes on from its progress.
 */
export type JobState = "running" | "paused" | "cancelled" | "failed" | "done";

/** Which state may follow which: the one place that says so. */
export const jobMoves: Readonly<Record<JobState, readonly JobState[]>> = {
  running: ["paused", "cancelled", "failed", "done"],
  paused: ["running", "cancelled"],
  cancelled: [],
  failed: [],
  done: [],
};

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

/** The jobs of a source. One per engine; another place for sources that hold nothing of ours can follow (PROTOCOL.md 36). */
export interface JobStore {
  /** @throws LockstepError JOB_LIVE when one of the kind is live. */
  begin(job: Pick<Job, "kind" | "options" | "progress">): Promise<Job>;
  find(id: string): Promise<Job | undefined>;
  /** The newest first. */
  list(options: { readonly kind?: string; readonly limit: number }): Promise<readonly Job[]>;
  /** @throws LockstepError JOB_UNKNOWN; JOB_STATE when its state doesn't allow it ({@link jobMoves}). */
  move(id: string, to: JobState, code?: ErrorCode): Promise<Job>;
  /** Makes the job this process's own; `undefined` while another process works on one of its kind. @throws LockstepError JOB_UNKNOWN. */
  claim(id: string): Promise<ClaimedJob | undefined>;
  close(): Promise<void>;
}
