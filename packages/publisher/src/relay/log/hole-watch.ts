import {
  LockstepError,
  splitPosition,
  type ChangeLog,
  type LoggedChanges,
  type Position,
} from "@lockstep/core";
import type { Term } from "../relay-context.js";

/**
 * Notices that the log was pruned under a reader. A retention limit may prune what a slow target, or a full stream, has not taken
 * yet; the next page then begins behind a hole that the entries' chain would hide.
 */
export interface HoleWatch {
  /**
   * Asked with each page before it is used. `from`: where the reader stood before its first page.
   * @throws LockstepError HISTORY_GONE.
   */
  refuse(from: Position, page: readonly LoggedChanges[]): Promise<void>;
}

/** Asks the log only when something was pruned since it was asked last. */
export function watchForHoles(log: ChangeLog, term: Term): HoleWatch {
  let seen = term.prunes;
  let last: { readonly tick: bigint; readonly endsTick: boolean } | undefined;
  return {
    async refuse(from, page) {
      const { prunes } = term;
      if (prunes !== seen) {
        const { tick, endsTick } = last ?? { tick: splitPosition(from).tick, endsTick: true };
        const prunedThrough = await log.prunedThrough();
        const pruned = splitPosition(prunedThrough).tick;
        if (pruned > tick || (pruned === tick && !endsTick)) {
          throw new LockstepError("HISTORY_GONE", `the outbox was pruned through ${prunedThrough}`);
        }
        seen = prunes;
      }
      last = page.at(-1) ?? last;
    },
  };
}
