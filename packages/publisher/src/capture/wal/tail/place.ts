import { splitPosition, type LoggedChanges, type Position } from "@lockstep/core";

const lastOrdinal = BigInt(Number.MAX_SAFE_INTEGER);

/** A position in numbers, for comparisons in a loop. */
export interface Place {
  readonly tick: bigint;
  readonly n: number;
}

/** A position as a place. What lies beyond 2^53 means "the end of the tick". */
export function placeOf(position: Position): Place {
  const { tick, n } = splitPosition(position);
  return { tick, n: Number(n < lastOrdinal ? n : lastOrdinal) };
}

/** Negative when `a` comes before `b`. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.tick !== b.tick) return a.tick < b.tick ? -1 : 1;
  return a.n - b.n;
}

/** Where changes end. */
export function placeOfEvent({ tick, ordinal }: LoggedChanges): Place {
  return { tick, n: ordinal };
}
