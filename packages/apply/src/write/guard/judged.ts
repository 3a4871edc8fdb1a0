import type { BaseKept, ConflictWrite, TargetTable } from "@lockstep/core";
import type { PlannedRemove, PlannedWrite } from "../../batch/planned-changes.js";
import type { Refused } from "../refused.js";

/** A row whose target's state stands against the source's. */
interface HeldBack {
  readonly base: BaseKept;
  readonly conflict: ConflictWrite;
}

/** What the guard makes of a set. */
export interface JudgedSet {
  readonly table: TargetTable;
  readonly writes: readonly PlannedWrite[];
  readonly removes: readonly PlannedRemove[];
  /** Rows of the source that are not written; their bases and records are, at once: the target refuses neither. */
  readonly held: readonly HeldBack[];
  /** Rows whose policy failed. */
  readonly failed: readonly Refused[];
}

/** A judged set while it is being made. */
export interface OpenJudgement {
  readonly writes: PlannedWrite[];
  readonly removes: PlannedRemove[];
  readonly held: HeldBack[];
  readonly failed: Refused[];
}
