import type { RowNote } from "./outbox.js";
import type { LaneSession, TargetTable } from "./target.js";
import type { TableSchema } from "../table-schema.js";

/**
 * How rows travel past the stream. `text`: all cells of their images, as lines in the text format of PostgreSQL's COPY, which LOAD DATA reads as well.
 * `binary`: the columns named, in PostgreSQL's binary format, which only a column of the very same type can read.
 */
export type BulkLayout =
  { readonly format: "text" } | { readonly format: "binary"; readonly columns: readonly string[] };

/** A run of a table's rows, by primary key: behind `after` (absent: from the first) up to and including `through`. */
export interface KeyRange {
  readonly after?: readonly string[];
  readonly through: readonly string[];
}

/** Reads existing rows of a source without locks, each range as it is committed when its reading begins. One per engine, on connections of its own. */
export interface BulkReader {
  /**
   * Waits until every transaction is seen by later reads that may already have a place in the source's log. Whoever has stopped at a position asks this
   * before it copies: a transaction is in the database's own log a moment before others see its rows. False when that can't be told within `timeoutMs`.
   */
  settle(timeoutMs: number): Promise<boolean>;
  /** The key that ends a run of `rows` rows at the beginning of a range; `undefined`: no more than that are left. */
  cut(table: RowNote["table"], range: KeyRange, rows: number): Promise<readonly string[] | undefined>;
  /**
   * The rows of a range, in the layout, in the order of their keys. What is yielded is cut anywhere, and is the reader's no longer. Ending early frees the connection.
   * @throws LockstepError TABLE_CHANGED when the table no longer has the schema.
   */
  read(schema: TableSchema, range: KeyRange, layout: BulkLayout): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Writes existing rows into a target's tables past the stream, while its lanes are held: the loader's transactions are fenced as theirs are. */
export interface BulkLoader {
  /** The layout in which a table's rows are to come; `undefined` when something about the table is in the way: they have to go through the stream. */
  layout(table: TargetTable): BulkLayout | undefined;
  /** How many rows it has; not more than `most` are counted. */
  count(table: TargetTable, most: number): Promise<number>;
  /**
   * Inserts rows in one transaction, and returns how many. Every value arrives as it would through the stream, or nothing does.
   * @throws what the rows threw; LockstepError TARGET_FENCED when a lane isn't held any more; LockstepError TABLE_CHANGED; the driver's error otherwise.
   */
  load(table: TargetTable, layout: BulkLayout, rows: AsyncIterable<Buffer>): Promise<number>;
  /** The same where rows of these keys may be there, which are overwritten: as a lane writes them. Rows come as `text`. */
  merge(table: TargetTable, rows: AsyncIterable<Buffer>): Promise<number>;
  close(): Promise<void>;
}

/** A lane that is held still, with the session that holds it. */
export interface HeldLane {
  readonly partition: number;
  readonly epoch: number;
  readonly session: LaneSession;
}
