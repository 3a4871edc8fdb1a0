import type { RowVersion } from "../conflict/row-version.js";
import type { RowNote } from "./outbox.js";

/** A row of the hub, and the version that another node holds instead of it. */
export interface Reasserted {
  /** Texts of the key's columns, in key order. */
  readonly key: readonly string[];
  readonly over: RowVersion | undefined;
}

/**
 * Sends rows of the source once more, as they are now: they are written to the outbox under locks and take their place in the order of all changes
 * (PROTOCOL.md 8). Each call is one short transaction that gives way to the application, never the other way round (PROTOCOL.md 22).
 */
export interface RowEmitter {
  /**
   * Writes images of those of these rows that exist; nothing of the others. At most 500 keys, as texts of the source.
   * @returns how many events were written. @throws LockstepError SOURCE_BUSY when the application's locks were in the way for too long.
   */
  emit(
    table: RowNote["table"],
    keys: readonly (readonly string[])[],
    audience: readonly string[],
  ): Promise<number>;
  /**
   * The same, and deletes for those that no row has, not even one that a transaction in progress has inserted: judged under a lock that stays
   * until the commit (PROTOCOL.md 21).
   */
  emitOrDelete(
    table: RowNote["table"],
    keys: readonly (readonly string[])[],
    audience: readonly string[],
  ): Promise<number>;
  /** Versions of these rows of a two-way table, by its plain name; one answer for each key. Locks nothing. */
  versions(table: string, keys: readonly (readonly string[])[]): Promise<readonly (RowVersion | undefined)[]>;
  /**
   * At the hub of two-way sync: sends these rows once more, as they are, or as deleted, as new writes of `node` that have seen what they are to replace. At most 500.
   * @returns how many events were written. @throws LockstepError SOURCE_BUSY.
   */
  reassert(table: RowNote["table"], node: string, rows: readonly Reasserted[]): Promise<number>;
  close(): Promise<void>;
}
