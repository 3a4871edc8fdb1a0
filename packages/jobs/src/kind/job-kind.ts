import type { ClaimedJob, Job, JobState } from "@lockstep/core";
import type { VerifyReport } from "@lockstep/sync";
import type { OpenSync } from "../open-sync.js";

/**
 * How work on a job ended: what became of it, or of this process's work. `lost`: the session is gone, or another process has the job. `released`: this process
 * was told to stop; the job is still `running`.
 */
export type JobEnd = Exclude<JobState, "running"> | "lost" | "released";

/** What a kind works with. */
export interface JobRoom {
  readonly open: OpenSync;
  /** As it was claimed. */
  readonly job: Job;
  /** Its steps throw once the signal is aborted. */
  readonly claim: ClaimedJob;
  /** Says that this process has to stop: what is in hand is given up, and whoever claims the job next goes on from its progress. */
  readonly signal: AbortSignal;
  /** Asks to end the job where a kind has an end before its end, after what is in hand. Others don't look at it. */
  readonly stop: AbortSignal;
  /** To be called with how far it is, and what it waits for. */
  told(progress: unknown, waitingFor?: string): void;
  readonly show?: ShowReports | undefined;
}

/** Whoever started a comparison by hand is shown more than is kept. */
export interface ShowReports {
  /** With the texts of differing columns, masked ones left out. They are never kept. */
  readonly values: boolean;
  report(report: VerifyReport): void;
}

/** How far a job is, whatever its kind. */
export interface JobSums {
  /** Rows that were copied, or compared. */
  readonly rows: number;
  /** Rows that there are, where something says so; never less than `rows`. */
  readonly expectedRows?: number;
  /** The table under way. */
  readonly table?: string;
  /** Rows that were removed from targets. */
  readonly removedRows?: number;
  /** Rows that differ. */
  readonly differentRows?: number;
}

/** A kind of job. */
export interface JobKind<Options> {
  /** Checks all that was asked, and says what is kept of it; nothing has moved when it throws. */
  plan(open: OpenSync, asked: Options): Promise<{ readonly options: unknown; readonly progress: unknown }>;
  /** Works on a claimed job until it ends, and moves it to `done` itself. Whatever it keeps goes through steps of its claim. */
  work(room: JobRoom): Promise<JobEnd>;
  sums(progress: unknown): JobSums;
  /** Whether an error passes by itself, so that the job is claimed again a little later. @param hasMoved this process has got on with it. */
  passes(open: OpenSync, error: unknown, hasMoved: boolean): boolean;
  /** Whether whoever began it by hand begins it again, so that no consumer is to work on it when its process is gone. Default: never. */
  staysWithCommand?(job: Job): boolean;
  /** Where a job stays that failed. Default `failed`, which is over. */
  stateAfterFailure?(job: Job): "failed" | "paused";
}
