import {
  type Conflicts,
  type LetterSchedule,
  type Logger,
  type Mapping,
  type RetryPolicy,
  type StreamReader,
  type Target,
  type TwoWayLane,
} from "@lockstep/core";
import type { BatchLimits } from "./batch/cut-batch.js";
import type { RefusalLimits } from "./write/refusal-window.js";

/** Bounds of a lane. */
export interface LaneLimits extends BatchLimits, RefusalLimits {
  /** How long disposing waits for the step in flight, ms. Default 10000. */
  readonly drainTimeoutMs: number;
  /** How often a lane that another process owns is tried, ms. Default 1000. */
  readonly standByMs: number;
  /** How often a halted lane looks whether someone has mended it, ms. Default 30000. */
  readonly haltRetryMs: number;
  /** A started transaction whose next part doesn't come is staged after this, ms. Default 250. */
  readonly partTimeoutMs: number;
  /** Letters written or released in one step. Default 500. */
  readonly maxLettersPerStep: number;
  /** Letters that are over (applied, superseded, discarded) stay in the target for so long, ms. Default 30 days. */
  readonly keepLettersMs: number;
  /** Conflicts that were decided, and tombstones of rows in tables with a policy, stay in the target for so long, ms. Default 30 days. */
  readonly keepConflictsMs: number;
  /** Conflicts of this lane that stay at most, the newest. Default 100000. */
  readonly maxConflicts: number;
}

/** The defaults named in {@link LaneLimits}. */
export const defaultLaneLimits: LaneLimits = {
  maxBatchEvents: 2000,
  maxBatchBytes: 8 * 1024 * 1024,
  maxLettersPerCode: 100,
  maxRefusedShare: 0.5,
  drainTimeoutMs: 10_000,
  standByMs: 1000,
  haltRetryMs: 30_000,
  partTimeoutMs: 250,
  maxLettersPerStep: 500,
  keepLettersMs: 30 * 24 * 60 * 60 * 1000,
  keepConflictsMs: 30 * 24 * 60 * 60 * 1000,
  maxConflicts: 100_000,
};

/** What a lane needs. */
export interface LaneOptions {
  /** Name of the source. */
  readonly source: string;
  readonly partition: number;
  /** How many there are, as the publisher has it. Default 1. */
  readonly partitions?: number;
  /** Where the changes go. Stays the caller's: it is opened here, not closed. */
  readonly target: Target;
  /** Where the changes come from. Stays the caller's. */
  readonly reader: StreamReader;
  /** The clock of retries. Stays the caller's. */
  readonly schedule: LetterSchedule;
  /** What becomes of the source's rows in this target. Default: they go as they are. */
  readonly mapping?: Mapping;
  /** What is done about rows of this target that others write. Default: they are overwritten. */
  readonly conflicts?: Conflicts;
  /** Set where source and target are nodes of two-way sync: only tables that both have in common pass. Default: the target is a mirror. */
  readonly twoWay?: TwoWayLane;
  /** How refused rows are tried again. Defaults: `defaultRetryPolicy`. */
  readonly retry?: Partial<RetryPolicy>;
  /** What single tables (`namespace.name` at the source) lay over it. Default: nothing. */
  readonly retryByTable?: Readonly<Record<string, Partial<RetryPolicy>>>;
  /** Defaults: {@link defaultLaneLimits}. */
  readonly limits?: Partial<LaneLimits>;
  readonly logger?: Logger;
  /** Milliseconds since 1970: for what is stored, shown, or compared with another clock. Default `Date.now`. */
  readonly now?: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets: for how long things take and wait. Default `performance.now`. */
  readonly elapsed?: () => number;
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Returns after `ms`, or at once when `signal` aborts. Default: a timer. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Host and process, for status. Default `<hostname>:<pid>`. */
  readonly owner?: string;
}
