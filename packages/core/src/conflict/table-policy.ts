import type { RowImage } from "../change-event.js";
import type { ConflictOutcome } from "../ports/guarded-rows.js";
import type { TableSchema } from "../table-schema.js";
import type { ConflictPolicy } from "./conflict-policy.js";

/** Both sides of a conflict, and what they have in common. Images are in the order of the table's schema; absent: deleted, or never there. */
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

/** A policy for the rows of one schema. Pure. */
export interface TablePolicy {
  /** As records and metrics call it. */
  readonly name: string;
  /** @throws LockstepError CONFLICT_POLICY_FAILED when the user's code throws, or gives what can't be the row. */
  resolve(sides: Sides): Resolution;
}

/** The policy for a table's rows, or everything in it that doesn't fit the table. */
export function tablePolicy(_: TableSchema, { policy }: ConflictPolicy): TablePolicy | readonly string[] {
  return { name: policy, resolve: ({ source }) => sided("source", source) };
}

function sided(outcome: ConflictOutcome, image: RowImage | undefined): Resolution {
  return image === undefined ? { outcome } : { outcome, image };
}
