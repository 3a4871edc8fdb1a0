import type { StreamEntry } from "./change-event.js";
import { LockstepError } from "./errors.js";
import { comparePositions, type Position, splitPosition } from "./position.js";

/**
 * The part of `entries` that follows on from `position` (PROTOCOL.md 1, 2): entries at or below it are dropped, of one that
 * straddles it (cut by a relay of another configuration) the events at or below it are dropped.
 * @throws LockstepError STREAM_GAP when an entry's predecessor lies beyond what came before it.
 */
export function followOn(position: Position, entries: readonly StreamEntry[]): StreamEntry[] {
  const following: StreamEntry[] = [];
  let reached = position;
  for (const entry of entries) {
    if (comparePositions(entry.id, reached) <= 0) continue;
    if (comparePositions(entry.previous, reached) > 0) {
      throw new LockstepError("STREAM_GAP", `the stream has a hole between ${reached} and ${entry.id}`);
    }
    following.push(entry.previous === reached ? entry : dropThrough(entry, reached));
    reached = entry.id;
  }
  return following;
}

function dropThrough(entry: StreamEntry, position: Position): StreamEntry {
  const { tick, n } = splitPosition(position);
  const { tick: last } = splitPosition(entry.id);
  const transactions = [];
  const events = [];
  let index = 0;
  for (const transaction of entry.transactions) {
    const own = transaction.tick === undefined ? last : BigInt(transaction.tick);
    const mine = entry.events
      .slice(index, (index += transaction.events))
      .filter((e) => own > tick || (own === tick && BigInt(e.ordinal) > n));
    if (mine.length === 0) continue;
    transactions.push({ ...transaction, events: mine.length });
    events.push(...mine);
  }
  return { ...entry, previous: position, transactions, events };
}
