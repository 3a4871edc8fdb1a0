import {
  type ChangeEvent,
  type ConflictWrite,
  positionOf,
  type Position,
  type RowImage,
  type RowVersion,
  type RowWrite,
  splitPosition,
  type TableSchema,
  type TransactionHeader,
} from "@lockstep/core";

/** Events and the position of the entry (or staged part) they came in; they belong to that position's tick, or to the one their transaction names. */
export interface Part {
  readonly id: Position;
  readonly events: readonly ChangeEvent[];
  readonly transactions?: readonly TransactionHeader[];
}

/** What a mapped row comes from: letters hold this, so that a corrected mapping maps it anew. */
export type SourceChange =
  | { readonly kind: "write"; readonly row: PlannedWrite }
  | { readonly kind: "remove"; readonly row: PlannedRemove };

/** What is to be done around a row of a table that has a policy: decided once per step, in the transaction that has locked the row. */
export interface RowGuard {
  /** Nothing was there: a plain INSERT, so that a row which somebody else makes meanwhile is not overwritten. */
  readonly insert: boolean;
  /** The row's version in two-way sync: then no base is kept, versions say more. */
  readonly version?: RowVersion;
  /** The other nodes must be told of the row, whatever the capture sees of it. */
  readonly tell?: boolean;
  /** The source's row, when another one is written ({@link BaseKept.decided}). */
  readonly decided?: string;
  /** The row as it came, when another one is written. */
  readonly incoming?: PlannedWrite;
  /** What was decided, when there was something to decide. */
  readonly conflict?: ConflictWrite;
}

/**
 * A row to write: the newest image of its key. An abstract class, so that TypeScript knows that a copy by spreading would be without the image:
 * most rows parse it when it is first read.
 */
export abstract class PlannedWrite implements RowWrite {
  abstract readonly key: string;
  abstract get image(): RowImage;
  abstract readonly before?: string;
  abstract readonly schema: TableSchema;
  /** The newest event it came from. */
  abstract readonly event: ChangeEvent;
  abstract readonly part: Part;
  /** True when the image has cells that are not known (PROTOCOL.md 18). */
  abstract readonly partial: boolean;
  /** The source's change, when this row is another one: mapped, or decided by a policy. */
  abstract readonly source?: SourceChange;
  /** Present on rows that have passed the guard. */
  abstract readonly guard?: RowGuard;
}

/** The same row as an insert under its new key. */
export function withoutBefore(row: PlannedWrite): PlannedWrite {
  const { before: _, ...rest } = row;
  return { ...rest, image: row.image };
}

/** A row to delete. */
export interface PlannedRemove {
  readonly key: string;
  readonly schema: TableSchema;
  readonly event: ChangeEvent;
  readonly part: Part;
  /** The source's change, when this row is another one: mapped, or decided by a policy. */
  readonly source?: SourceChange;
  /** Present on rows that have passed the guard. */
  readonly guard?: RowGuard;
}

/** What happens to one table, in one schema of it, in one segment. Rows are in the order of their first event. */
export interface TableChanges {
  readonly schema: TableSchema;
  readonly writes: readonly PlannedWrite[];
  readonly removes: readonly PlannedRemove[];
}

/** Changes that can be applied set-wise: first the tables to empty, then writes, then removes. Segments follow each other. */
export interface Segment {
  readonly truncates: readonly TableSchema[];
  readonly tables: readonly TableChanges[];
}

/** Names a row across tables. */
export type RowId = string;

/** The row with this key (JSON text) in this table (`namespace.name` at the source). */
export function rowId(table: string, key: string): RowId {
  return `${table}\u0000${key}`;
}

/** The exact place of an event. */
export function positionOfEvent(part: Part, event: ChangeEvent): Position {
  const { tick } = splitPosition(part.id);
  return positionOf(ownTick(part, event) ?? tick, event.ordinal);
}

function ownTick({ events, transactions = [] }: Part, event: ChangeEvent): bigint | undefined {
  if (transactions.every(({ tick }) => tick === undefined)) return undefined;
  let index = events.indexOf(event);
  for (const transaction of transactions) {
    if (index < transaction.events)
      return transaction.tick === undefined ? undefined : BigInt(transaction.tick);
    index -= transaction.events;
  }
  return undefined;
}
