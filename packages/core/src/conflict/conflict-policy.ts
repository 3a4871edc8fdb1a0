import type { MappedValue, SourceRow } from "../mapping/table-mapping.js";

/** Which side a rule takes. */
export type Side = "source" | "target";

/** What a policy does where one side has deleted the row and the other has changed it. */
export interface DeleteRule {
  /** The side whose word counts then: its deletion, or its row. Default `source`. */
  readonly deletes?: Side;
}

/**
 * What becomes of one column.
 * - `source`, `target`: that side's value
 * - `newest`: the value of the side whose named column is greater; equal: the source's
 * - `max`, `min`: the greater, the smaller; a value before NULL
 * - `union`: every element that is in either array (JSON or PostgreSQL), the source's first
 * - `nonNull`: the source's value, filled from the target's where it is NULL
 * - `nonNullTarget`: the target's value, where it isn't NULL, overrides the source's
 * - a function of both values and of the one they last agreed on (`undefined`: not known). Pure and synchronous.
 */
export type ColumnRule =
  | Side
  | "max"
  | "min"
  | "union"
  | "nonNull"
  | "nonNullTarget"
  | { readonly newest: string }
  | ((source: MappedValue, target: MappedValue, base: MappedValue | undefined) => MappedValue);

/**
 * A policy of your own: gives the row as it is to be, with all of its columns and the same key, or `null` for none. Rows are as mappings' functions see them; `null`: deleted, or
 * (base) not known. Pure and synchronous: it may run again for the same rows. What it throws makes the row a letter (CONFLICT_POLICY_FAILED).
 */
export type ConflictFunction<Row = SourceRow> = (
  source: Row | null,
  target: Row | null,
  base: Row | null,
) => Row | null;

/** What decides when the target's row isn't what Lockstep left there. */
export type ConflictPolicy =
  | { readonly policy: "primaryWins" }
  | ({ readonly policy: "lastWriteWins"; readonly column?: string } & DeleteRule)
  | ({ readonly policy: "merge"; readonly columns: Readonly<Record<string, ColumnRule>> } & DeleteRule)
  | ConflictFunction;

/** A target's policies by its tables (`namespace.name` or `name`; `"*"`: all that aren't named). */
export type TargetConflicts = Readonly<Record<string, ConflictPolicy>>;

/** The source's row is written, whatever was done to the target's. The conflict is recorded. */
export function primaryWins(): ConflictPolicy {
  return { policy: "primaryWins" };
}

/**
 * The row whose `column` is greater is the one that stays; equal ones are decided by the rows' texts, on every node alike. NULL is smaller than any value. Without a column the
 * rows' versions decide, which only two-way sync keeps.
 */
export function lastWriteWins(options: { readonly column?: string } & DeleteRule = {}): ConflictPolicy {
  return { policy: "lastWriteWins", ...options };
}

/** Each column by its own rule; `"*"` is the rule of those that aren't named, by default `source`. A row that one side has deleted can't be merged: `deletes` says what then. */
export function merge(
  columns: Readonly<Record<string, ColumnRule>>,
  options: DeleteRule = {},
): ConflictPolicy {
  return { policy: "merge", columns, ...options };
}

/** The rule that takes the value of the side whose `column` is greater. */
export function newest({ column }: { readonly column: string }): ColumnRule {
  return { newest: column };
}
