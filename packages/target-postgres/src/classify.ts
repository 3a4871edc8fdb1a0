import { type ErrorCode, type Fault, isLockstepError } from "@lockstep/core";
import { sqlState } from "./wire/sql-state.js";

/** A delete that a foreign key of the target would pass on to other rows. */
export class WouldCascadeError extends Error {
  override readonly name = "WouldCascadeError";
  /** The foreign key. */
  readonly constraint: string;

  constructor(constraint: string) {
    super(`the delete would cascade by the foreign key ${constraint}`);
    this.constraint = constraint;
  }
}

/** A value that the target's column would round or cut. */
export class UnfaithfulColumnError extends Error {
  override readonly name = "UnfaithfulColumnError";
  readonly column: string;

  constructor(column: string) {
    super(`the column ${column} would not keep the value as it is`);
    this.column = column;
  }
}

/** Unique values of a table that can't be moved aside: nothing in them can be changed, and its rows can't be removed for a while. */
export class ImmovableUniqueError extends Error {
  override readonly name = "ImmovableUniqueError";
  readonly constraint: string;

  constructor(constraint: string) {
    super(`the unique values of ${constraint} can't be moved aside`);
    this.constraint = constraint;
  }
}

/**
 * What an error means for the lane. Whatever isn't known to be about a row is about the target: nothing is skipped then, and
 * nobody's attempt is burned.
 */
export function classify(error: unknown): Fault {
  if (error instanceof WouldCascadeError) return row("TARGET_WOULD_CASCADE", error.constraint);
  if (error instanceof ImmovableUniqueError) return row("TARGET_UNIQUE", error.constraint);
  if (error instanceof UnfaithfulColumnError) return row("TARGET_VALUE", error.column);
  if (isLockstepError(error)) return { kind: "systemic", code: error.code };
  const state = sqlState(error);
  if (state === undefined) return systemic("TARGET_UNAVAILABLE");
  const { constraint, column } = error as { readonly constraint?: unknown; readonly column?: unknown };
  return bySqlState(state, text(constraint) ?? text(column));
}

function bySqlState(state: string, about: string | undefined): Fault {
  const code = rowCodes[state] ?? rowClasses[state.slice(0, 2)];
  if (code !== undefined) return row(code, about);
  return systemic(tableCodes[state] ?? "TARGET_UNAVAILABLE", about);
}

const rowCodes: Readonly<Record<string, ErrorCode>> = {
  "23502": "TARGET_NOT_NULL",
  "23503": "TARGET_FOREIGN_KEY",
  "23001": "TARGET_FOREIGN_KEY",
  "23505": "TARGET_UNIQUE",
  "23P01": "TARGET_UNIQUE",
  "23514": "TARGET_CHECK",
  // An index entry or a row that is too long for the server.
  "54000": "TARGET_VALUE",
};

const rowClasses: Readonly<Record<string, ErrorCode>> = {
  "22": "TARGET_VALUE",
  "23": "TARGET_REFUSED",
  "44": "TARGET_CHECK",
  // Raised by triggers and functions.
  "09": "TARGET_REFUSED",
  "27": "TARGET_REFUSED",
  "38": "TARGET_REFUSED",
  "39": "TARGET_REFUSED",
  P0: "TARGET_REFUSED",
};

/** The table is not the one that was looked at: the lane looks again. */
const tableCodes: Readonly<Record<string, ErrorCode>> = {
  "42P01": "TARGET_TABLE_MISSING",
  "3F000": "TARGET_TABLE_MISSING",
  "42703": "TARGET_COLUMN_MISSING",
  "42804": "TARGET_COLUMN_MISSING",
  "428C9": "TARGET_COLUMN_MISSING",
};

function row(code: ErrorCode, about: string | undefined): Fault {
  return about === undefined ? { kind: "row", code } : { kind: "row", code, about };
}

function systemic(code: ErrorCode, about?: string): Fault {
  return about === undefined ? { kind: "systemic", code } : { kind: "systemic", code, about };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
