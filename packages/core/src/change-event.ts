import type { Position } from "./position.js";

/**
 * What happened to a row (`truncate`: to a table; `barrier`: nothing, a marker).
 * `insert`, `update` and `snapshot` all mean "the row now looks like this"; which of the three is information, not semantics.
 */
export type Op = "insert" | "update" | "delete" | "snapshot" | "truncate" | "barrier";

/**
 * One cell of a row image: the column's text as the source printed it, `null` for NULL,
 * the number `0` for "not known here" (unchanged TOAST, minimal row image, column added later). PROTOCOL.md 18.
 */
export type Cell = string | null | 0;

/** A row image: one cell per column of the schema, in its order. */
export type RowImage = readonly Cell[];

/**
 * One committed change of one row. `key`, `image` and `before` are JSON texts made by the source database and are parsed
 * only where a target needs the cells.
 */
export interface ChangeEvent {
  /** The event's place in its tick, counted from 1 before filters and partitioning. */
  readonly ordinal: number;
  readonly op: Op;
  /** Fingerprint of the table schema that `image` follows. */
  readonly schema: string;
  /** JSON array of the primary key's texts, in key order. Equal text means same row. */
  readonly key: string;
  /** JSON array of cells; absent for `delete`, `truncate`, `barrier`. */
  readonly image?: string;
  /** The row's previous key when this update changed it. */
  readonly before?: string;
  /** In a two-way table: what the row's version was after this write, as JSON text (see `RowVersion`). */
  readonly version?: string;
}

/** One committed transaction of the source, or the part of it that one entry carries. */
export interface TransactionHeader {
  /** The source's own id of the transaction (xid, GTID); opaque. */
  readonly id: string;
  /** When the source wrote it, milliseconds since 1970 by the source's clock. */
  readonly at: number;
  /** How many events of this entry belong to it. */
  readonly events: number;
  /** The tick in which its events' ordinals count, when that isn't the one of the entry's id. */
  readonly tick?: string;
  /** W3C traceparent of the span that wrote it. */
  readonly traceparent?: string;
  /** The node that first wrote it, when it came here by Lockstep itself. */
  readonly origin?: string;
  /**
   * Ids of the only targets these events are for; absent: all of them. A transaction whose events differ in it has several headers, one
   * after another.
   */
  readonly audience?: readonly string[];
}

/**
 * The unit of the stream: one or more whole transactions of one tick, or a marked part of a very large one. Where each tick is one
 * transaction (the database's own log), an entry may hold several ticks.
 * Entries of a partition form a chain: each names its predecessor (PROTOCOL.md 1).
 */
export interface StreamEntry<T = ChangeEvent> {
  /** Position of the last event covered; the Redis stream id. */
  readonly id: Position;
  /** Id of the entry before it in this partition; this entry covers the interval (previous, id]. */
  readonly previous: Position;
  /** Identity of the source database that made the positions (PROTOCOL.md 11). */
  readonly incarnation: string;
  /** Events the source has published up to and including this entry, since its outbox was made: differences say how far behind a lane is (PROTOCOL.md 34). */
  readonly total: number;
  /** True when `id` is the end of its tick: here a target shows a state that readers of the source saw. */
  readonly endsTick: boolean;
  /** True when the last transaction goes on in the next entry: nothing of it may become visible yet. */
  readonly continues: boolean;
  readonly transactions: readonly TransactionHeader[];
  /** Events in order; `sum(transactions.events)` of them (for its writer some may be packed). May be empty (markers, other partitions' changes). */
  readonly events: readonly T[];
}
