import type { CapturePlan, CaptureRemoval } from "./capture-plan.js";
import type { RowNote, RunStatement } from "./outbox.js";

/**
 * Triggers that keep the versions of rows of two-way tables (`RowVersion`) for a node's own writes, and give events the versions of their rows. One per
 * engine. Lanes, whose sessions name their origin, write versions themselves.
 */
export interface VersionTriggers {
  /**
   * Compares what is there with what `node` needs for these tables, which are all of its two-way tables; changes nothing. The outbox and the
   * target's own tables exist. A table that can't be two-way is `refused`, with the reason. Triggers of the application's
   * own that would make rows differ are `extra`: no statement touches them.
   */
  plan(run: RunStatement, node: string, tables: readonly RowNote["table"][]): Promise<CapturePlan>;
  /** Statements that remove them all, whichever tables they are on. Versions stay where they are. */
  removal(run: RunStatement): Promise<CaptureRemoval>;
}
