import type { Position, StreamEntry, TransactionHeader } from "@lockstep/core";
import type { Part, Segment } from "./planned-changes.js";

/** What one step of the target is about: entries that end with a transaction, or parts of a very large one. */
export interface Batch {
  readonly parts: readonly Part[];
  /** Fingerprints of the schemas that the events follow. */
  readonly schemas: ReadonlySet<string>;
  readonly events: number;
  /** Where the lane is when it is applied. */
  readonly to: Position;
  readonly total: number;
  readonly incarnation: string;
  readonly transactions: readonly TransactionHeader[];
  /** True for parts of a very large transaction that goes on: they are staged, not applied. */
  readonly continues: boolean;
  /** The collapsed changes, once they are known. */
  segments?: readonly Segment[];
}

/** A batch of these entries, at least one. */
export function batchOf(
  entries: readonly StreamEntry[],
  schemas: ReadonlySet<string>,
  continues: boolean,
): Batch {
  const last = entries.at(-1)!;
  const transactions = entries.length === 1 ? last.transactions : entries.flatMap((e) => e.transactions);
  return {
    parts: entries,
    schemas,
    events: entries.reduce((sum, entry) => sum + entry.events.length, 0),
    to: last.id,
    total: last.total,
    incarnation: last.incarnation,
    transactions,
    continues,
  };
}

/** Rows that a batch writes or removes. */
export function countRows(segments: readonly Segment[]): number {
  let rows = 0;
  for (const { tables } of segments) for (const t of tables) rows += t.writes.length + t.removes.length;
  return rows;
}
