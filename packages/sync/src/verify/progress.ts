import type { Key } from "../digest/column.js";
import type { TableReport } from "./report.js";

/** How far one table is: everything up to a key, or below a bucket of `of`, is compared and settled. */
export type Place = { readonly after: Key } | { readonly of: number; readonly bucket: number };

/** How far a comparison is: plain JSON, no larger than its report. Whoever hands it in again goes on from there. */
export interface VerifyProgress {
  /** What is over. `comparison` names a table of the source and, where a mapping makes several of it, which of them. */
  readonly done: readonly { readonly comparison: string; readonly report: TableReport }[];
  /** The table under way, and what was found so far. */
  readonly current?: { readonly comparison: string; readonly report: TableReport; readonly place: Place };
  /** How many comparisons there are in all. */
  readonly comparisons: number;
}
