import { ConflictCounts } from "./guard/conflict-counts.js";
import type { RowId } from "../batch/planned-changes.js";

/** A letter that was made or replaced. */
interface PutLetter {
  readonly id: string;
  readonly state: "retrying" | "waiting" | "dead";
  readonly attempts: number;
  readonly dueAt?: number;
  readonly waitingFor?: string;
}

/** A row that the target refused, as status shows it: `key` is an identifier, not a value. */
interface RowError {
  readonly table: string;
  readonly key: string;
  readonly code: string;
  readonly at: number;
}

/** What one step did to letters. It counts only when the step has committed. */
export interface Ledger {
  readonly put: Map<RowId, PutLetter>;
  /** Ids of letters that are over, by row. */
  readonly resolved: Map<RowId, string>;
  /** One per letter that was made or replaced. */
  readonly errors: RowError[];
  /** Letters that are over whose waiting letters were left for the next step. */
  readonly unreleased: string[];
  /** Rows written beside those that the step's move counts: letters that applied. Below zero: rows of the batch that were set aside. */
  records: number;
  /** Conflicts that were decided, rows aside that were refused all the same. */
  readonly conflicts: ConflictCounts;
}

/** An empty ledger. */
export function openLedger(): Ledger {
  return {
    put: new Map(),
    resolved: new Map(),
    errors: [],
    unreleased: [],
    records: 0,
    conflicts: new ConflictCounts(),
  };
}
