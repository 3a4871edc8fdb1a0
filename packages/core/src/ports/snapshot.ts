import type { RowNote, RunStatement, TransactionNote } from "./outbox.js";

/** What a full sync must know of a table before it moves anything. */
export interface SnapshotTable {
  readonly table: RowNote["table"];
  /** Tables (`namespace.name`) that its foreign keys point to, itself left out. */
  readonly parents: readonly string[];
  /** From the database's statistics; absent when it has none. */
  readonly estimatedRows?: number;
  /** The same, of one row. */
  readonly estimatedRowBytes?: number;
  /** The last key now, in key order: rows that come behind it are captured as they are written. Absent: the table is empty. */
  readonly through?: readonly string[];
}

/** A run of existing rows, by primary key. */
export interface SnapshotChunk {
  readonly table: RowNote["table"];
  /** Rows behind this key; absent: from the first. Texts of the key's columns, in key order. */
  readonly after?: readonly string[];
  /** Up to and including this one. */
  readonly through: readonly string[];
  /** At most this many rows are looked at. */
  readonly rows: number;
  /** An SQL condition on the table's columns, by their plain names: only rows that meet it are written. */
  readonly where?: string;
}

/** What became of a chunk. */
export interface AppendedChunk {
  /** Written to the outbox. */
  readonly rows: number;
  /** Of their images, about. */
  readonly bytes: number;
  /** Where the next chunk goes on; absent: this was the last. */
  readonly last?: readonly string[];
}

/**
 * Existing rows as events of the outbox, in an open transaction of the source. One per engine, beside the outbox's writer.
 */
export interface SnapshotWriter {
  /** @throws LockstepError SYNC_CONDITION_INVALID when the condition isn't one of the table. */
  survey(run: RunStatement, table: RowNote["table"], where?: string): Promise<SnapshotTable>;
  /**
   * Has the database write the rows of a chunk as `snapshot` events. They are read under share locks, and their ids are drawn above the
   * locks, so that they take their place in the order: whoever changes such a row comes before or after, never in between (PROTOCOL.md 8).
   */
  append(run: RunStatement, chunk: SnapshotChunk, transaction: TransactionNote): Promise<AppendedChunk>;
  /** Those of these keys that no committed row has now. A candidate's absence is judged by {@link SnapshotWriter.appendAbsent}. */
  absent(
    run: RunStatement,
    table: RowNote["table"],
    keys: readonly (readonly string[])[],
  ): Promise<readonly (readonly string[])[]>;
  /**
   * Deletes for those of these keys (at most 1000) that no row has, not even one that a transaction in progress has inserted: judged under a lock
   * that stays until the commit (PROTOCOL.md 21). Runs in a step with `absence`. Returns how many were written.
   */
  appendAbsent(
    run: RunStatement,
    table: RowNote["table"],
    keys: readonly (readonly string[])[],
    transaction: TransactionNote,
  ): Promise<number>;
}
