import { type Position, positionOf } from "@lockstep/core";
import { comparePlaces, type Place } from "../tail/place.js";
import type { Markers } from "./markers.js";

/** What is known when the slot is to be confirmed. */
export interface ConfirmFacts {
  /** Everybody has applied this. */
  readonly applied: Place;
  /** The last event that came in, or where reading began. */
  readonly last: Place;
  /** More events of its transaction will follow. */
  readonly isWithin: boolean;
  /** Whatever was committed before this came in, or is of no interest. */
  readonly passed: bigint;
  readonly confirmed: bigint;
  readonly pruned: Position;
  readonly markers: Markers;
}

/** How far the slot may be confirmed, and what that means for readers. */
export interface ConfirmPoint {
  readonly lsn: bigint;
  readonly pruned: Position;
}

/** While nothing is pending the slot follows the log in steps of this: each is a write to the source, which must not keep itself busy. */
const idleStepBytes = 1024n * 1024n;

/**
 * Where to confirm; `undefined` when nothing new can be. Pure.
 *
 * When everything that came in is applied, the slot may go as far as the server has read: otherwise an idle database, or one that is busy
 * in other tables, would hold the log of the whole server back. Else up to a transaction that not everybody is known to have whole.
 */
export function confirmPoint(facts: ConfirmFacts): ConfirmPoint | undefined {
  const { applied, last, isWithin, passed, confirmed, pruned, markers } = facts;
  if (!isWithin && comparePlaces(applied, last) >= 0) {
    const through = positionOf(last.tick, last.n);
    const isNews = through !== pruned && passed > confirmed;
    return isNews || passed >= confirmed + idleStepBytes ? { lsn: passed, pruned: through } : undefined;
  }
  const marker = markers.atOrBefore(applied.tick < last.tick ? applied.tick : last.tick);
  if (marker === undefined || marker.tick <= confirmed) return undefined;
  return { lsn: marker.tick, pruned: positionOf(marker.tick, 0) };
}
