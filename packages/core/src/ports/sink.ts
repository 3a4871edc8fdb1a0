import type { RowImage } from "../change-event.js";
import type { ErrorCode } from "../errors.js";
import type { Position } from "../position.js";
import type { TableSchema } from "../table-schema.js";
import type { HeldRows } from "./held-rows.js";
import type { Checkpoint } from "./target.js";

/** A lane's name in its target. */
export interface SinkLane {
  readonly source: string;
  readonly partition: number;
}

/** What one row has become. */
export interface SinkChange {
  /** JSON array of the primary key's texts: equal text means same row. */
  readonly key: string;
  /** Place of the change at the source: the same change always has the same, also when it is sent again. */
  readonly position: Position;
  /** Sorts as text. A change must not overwrite what was written with a higher one; equal ones follow each other in the order of the calls (PROTOCOL.md 19). */
  readonly version: string;
  /** Cells in the order of the table's columns, texts as the source prints them; absent when the row is gone. Unknown cells (`0`) keep what is there. */
  readonly image?: RowImage;
  /** The key that the row had before. What lay under it comes as a change of its own unless another row has taken it. */
  readonly before?: string;
}

/** A row that the store refuses, whatever it does for others. */
export interface SinkRefusal {
  readonly key: string;
  readonly code: ErrorCode;
  /** A field or a status: never a value. */
  readonly about?: string;
  /** The store's own words; they may hold values and are kept beside the row's image (PROTOCOL.md 33). */
  readonly rawError: string;
}

/** Which rows of a table are to go, and since when. */
export interface SinkTruncate {
  readonly position: Position;
  readonly version: string;
  /** Only the rows with these texts in these columns: others share the table. */
  readonly only?: Readonly<Record<string, string>>;
}

/**
 * A store without transactions, as a target: at least once, each row in order. `sinkTarget` makes a target of it, which keeps checkpoint and letters in a
 * database. A sink must bear to get a change again.
 */
export interface Sink {
  /** Where it is, for people: no credentials. */
  readonly address: string;
  /** Makes or checks what these tables need. @throws LockstepError naming everything that is wrong. */
  prepare?(tables: readonly TableSchema[], lane: SinkLane): Promise<void>;
  /**
   * Writes changes of one table, whose keys are distinct; returns when the store has them, with those that it refuses.
   * @throws whatever else is wrong: the lane waits and sends the changes again.
   */
  write(table: TableSchema, changes: readonly SinkChange[], lane: SinkLane): Promise<readonly SinkRefusal[]>;
  /** Removes all rows of a table, or a share of them. */
  truncate(table: TableSchema, truncate: SinkTruncate, lane: SinkLane): Promise<void>;
  /** Called before the first write of a step: says that the store still has what it took before. @throws LockstepError TARGET_LOST_WRITES. */
  begin?(checkpoint: Checkpoint, lane: SinkLane): Promise<void>;
  /** Called after the last write of a step, before the checkpoint moves; and when the lane has begun anew. */
  end?(version: string, lane: SinkLane): Promise<void>;
  /** Reads what it holds. Absent: nothing can be read of it. */
  readonly held?: HeldRows;
  close(): Promise<void>;
}
