import type { BaseKept, ConflictWrite, TargetTable, VersionWrite } from "@lockstep/core";
import type { PlannedRemove, PlannedWrite } from "../../batch/planned-changes.js";
import type { Refused } from "../refused.js";

/** A row whose target's state stands against the source's. */
interface HeldBack {
  readonly base: BaseKept;
  readonly conflict: ConflictWrite;
}

/** A row of a two-way table that stays as it is, and has seen more now. */
interface Answered extends VersionWrite {
  /** The leaves must be told. */
  readonly tell: boolean;
  readonly conflict?: ConflictWrite;
}

/** What the guard makes of a set. */
export interface JudgedSet {
  readonly table: TargetTable;
  readonly writes: readonly PlannedWrite[];
  readonly removes: readonly PlannedRemove[];
  /** Rows of the source that are not written; their bases and records are, at once: the target refuses neither. */
  readonly held: readonly HeldBack[];
  readonly answered?: readonly Answered[];
  /** Rows whose policy failed. */
  readonly failed: readonly Refused[];
}

/** A judged set while it is being made. */
export interface OpenJudgement {
  readonly writes: PlannedWrite[];
  readonly removes: PlannedRemove[];
  readonly held: HeldBack[];
  readonly answered: Answered[];
  readonly failed: Refused[];
}
