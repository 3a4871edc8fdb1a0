import type { Key } from "../digest/column.js";
import type { Rows, RowState } from "../digest/table-side.js";

/**
 * How a row of the target differs from the source's: it isn't there, it should not be there, or it holds something else. `unmapped`: a mapping's code failed on
 * the source's row, so that nothing says what the target should have.
 */
export type DifferenceKind = "missing" | "extra" | "differing" | "unmapped";

/** A row that differs. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** The source's key, where the row itself told it. */
  readonly origin?: Key;
  /** Of `unmapped`: the code's place. */
  readonly failed?: string;
}

/** The rows of two lists that are not the same in both, by key. Pure. */
export function suspectsOf(source: Rows<RowState>, target: Rows<RowState>): readonly string[] {
  const suspects: string[] = [];
  for (const [key, { hash }] of source) if (target.get(key)?.hash !== hash) suspects.push(key);
  for (const key of target.keys()) if (!source.has(key)) suspects.push(key);
  return suspects;
}

/** What one more look says: `agreed`: the source's row stayed as it is, and the target's is another; `moving`: it changed meanwhile. */
export type Look = "equal" | "agreed" | "moving";

/**
 * Judges one row: the source before, then (when the target has applied everything up to there) the target, then the source again. Pure.
 *
 * Maintained invariant: between the two looks at the source the target shows only states that the source had from the first look on. If that was one
 * state all the time, another one in the target is a difference, however much is written to other rows.
 */
export function look(
  before: RowState | undefined,
  target: RowState | undefined,
  after: RowState | undefined,
): Look {
  if (target?.hash === before?.hash || target?.hash === after?.hash) return "equal";
  return before?.hash === after?.hash && before?.version === after?.version ? "agreed" : "moving";
}

/** One look is proof where the engine tells that a row was written in between. Elsewhere a row may have changed and changed back. */
export function looksNeeded(state: RowState | undefined): number {
  return state?.version === undefined ? 5 : 1;
}

/** What a row that differs is. Pure. */
export function differenceOf(source: RowState | undefined, target: RowState | undefined): Difference {
  const { origin, failed } = source ?? {};
  const about = { ...(origin !== undefined && { origin }), ...(failed !== undefined && { failed }) };
  if (failed !== undefined) return { kind: "unmapped", ...about };
  if (target === undefined) return { kind: "missing", ...about };
  return { kind: source === undefined ? "extra" : "differing", ...about };
}
