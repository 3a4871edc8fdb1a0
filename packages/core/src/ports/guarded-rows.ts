import type { RowImage } from "../change-event.js";
import type { Position } from "../position.js";
import type { RowVersion } from "../conflict/row-version.js";
import type { HeldVersion } from "../conflict/two-way.js";
import type { RowWrite, TargetTable } from "./target.js";

/** What lies under a key of a table that has a conflict policy. */
export interface RowLook {
  /**
   * - `absent`: nothing, and nothing is known to have been there
   * - `unchanged`: what Lockstep left there
   * - `changed`: anything else: a row that somebody else wrote, none where Lockstep left one, or one about which a decision against the source stands
   */
  readonly state: "absent" | "unchanged" | "changed";
  /**
   * The row that is there, in the order of the table's schema and in the source's texts; `0` for columns that the target doesn't have or makes itself. Absent: there is none,
   * or it wasn't asked for.
   */
  readonly image?: RowImage;
  /** The row as Lockstep last knew both sides to agree on it, in the same form. Absent: there was none, or none is known. */
  readonly base?: RowImage;
}

/** A row whose base is to be kept. */
export interface BaseKept {
  readonly key: string;
  /**
   * The source's row, when the target's is another one by decision: a JSON object of texts by column, or `null` for one that the source has deleted. The row counts as changed
   * until both agree again.
   */
  readonly decided?: string;
}

/** What was decided where source and target had changed the same row. */
export type ConflictOutcome = "source" | "target" | "merged";

/** Conflicts of one kind that a lane has decided. */
export interface ConflictCount {
  readonly table: string;
  readonly policy: string;
  readonly outcome: ConflictOutcome;
  readonly count: number;
}

/** A conflict as it is kept in the target. Images are JSON objects of texts by column; absent: the row was deleted there. */
export interface ConflictWrite {
  /** The target's table, `namespace.name` as its schema says. */
  readonly table: string;
  /** JSON array of the key's texts. */
  readonly key: string;
  /** The source's change. */
  readonly position: Position;
  /** Name of the policy. */
  readonly policy: string;
  readonly outcome: ConflictOutcome;
  readonly source?: string;
  readonly target?: string;
  readonly result?: string;
}

/** A row's version in two-way sync. */
export interface VersionWrite {
  readonly key: string;
  readonly version: RowVersion;
  readonly deleted: boolean;
}

/**
 * What a transaction can do for tables whose rows others may write: it tells which rows those are, because it keeps, beside each row, what Lockstep left there (its base). All
 * of it belongs to the transaction, and is taken back with it or with the savepoint it ran in.
 */
export interface GuardedRows {
  /**
   * Locks the rows of these keys that are there, and compares them with their bases. One answer for each key, in their order. Images of unchanged rows only when `images` is `all`.
   */
  look(table: TargetTable, keys: readonly string[], images?: "changed" | "all"): Promise<readonly RowLook[]>;
  /** Inserts rows; one that is there by now raises the error of a duplicate, instead of being overwritten. Keys are distinct. */
  insert(table: TargetTable, rows: readonly RowWrite[]): Promise<void>;
  /** Makes what is there now, as the target itself prints it, the base of these keys; where nothing is, a tombstone. */
  keepBases(table: TargetTable, rows: readonly BaseKept[]): Promise<void>;
  /** Forgets the bases of a table; with `only`, those of the rows that had these texts in these columns of the key. */
  dropBases(table: TargetTable, only?: Readonly<Record<string, string>>): Promise<void>;
  /** Keeps what was decided. */
  record(conflicts: readonly ConflictWrite[]): Promise<void>;
  /** Versions of these rows, locked, also where the row isn't there; `undefined` where there is none. One answer for each key, in their order. */
  versions(table: TargetTable, keys: readonly string[]): Promise<readonly (HeldVersion | undefined)[]>;
  putVersions(table: TargetTable, versions: readonly VersionWrite[]): Promise<void>;
  /**
   * Writes these rows as they are now, or their absence, into the outbox of this database, which is a source as well. Absent: it was opened as a target alone
   * ({@link TargetOptions.announce}).
   */
  announce?(table: TargetTable, keys: readonly string[]): Promise<void>;
}
