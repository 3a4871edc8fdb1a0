import type { RowImage } from "../change-event.js";
import type { ConflictOutcome } from "../ports/guarded-rows.js";
import type { Side } from "./conflict-policy.js";

/** Both sides of a conflict, and what they last agreed on. Images are in the order of the table's schema; absent: deleted, or never there. */
export interface Sides {
  readonly source?: RowImage;
  readonly target?: RowImage;
  readonly base?: RowImage;
}

/** What becomes of the row. */
export interface Resolution {
  readonly outcome: ConflictOutcome;
  /** Absent: the row is not to be there. */
  readonly image?: RowImage;
}

/** Decides a conflict of a table's rows. */
export type Resolve = (sides: Sides) => Resolution;

/** One side's row, or that it is deleted. */
export function sideOf(sides: Sides, side: Side): Resolution {
  const image = sides[side];
  return image === undefined ? { outcome: side } : { outcome: side, image };
}
