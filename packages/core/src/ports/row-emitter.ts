import type { RowNote } from "./outbox.js";

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
  close(): Promise<void>;
}
