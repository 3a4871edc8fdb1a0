import type { TargetTable, TargetTransaction } from "@lockstep/core";
import { classify } from "../classify.js";
import type { Session } from "../session/session.js";
import type { Announcing } from "../guarded/announce.js";
import { guardedRows } from "../guarded/guarded-rows.js";
import { findLetters, dueLetters, waitingLetters } from "../letters/lane-letters.js";
import { letterDesk } from "../letters/letter-desk.js";
import { putLetter, resolveLetters } from "../letters/put-letter.js";
import { missingParents } from "../rows/missing-parents.js";
import { remove } from "../rows/remove.js";
import { truncate } from "../rows/truncate.js";
import { moveUniqueAside } from "../rows/unique-aside.js";
import { upsert } from "../rows/upsert.js";
import type { LaneTables } from "../tables/lane-tables.js";
import { countRecords, type LaneId } from "./checkpoint-row.js";
import { clearStaged, stage, staged } from "./staging.js";

/** What a transaction of a lane works on. */
export interface TransactionPlace {
  readonly session: Session;
  readonly lane: LaneId;
  readonly tables: LaneTables;
  readonly hub: Announcing;
}

/** The methods of an open transaction; `whole` throws when the server has rolled it back behind our back. */
export function openTransaction(place: TransactionPlace): {
  readonly transaction: TargetTransaction;
  whole(): void;
  /** Records counted beside the step's move. */
  counted(): number;
} {
  const { session, lane, tables, hub } = place;
  let counted = 0;
  const guard = wholeness(session);
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await guard.savepoint(work);
      return true;
    } catch (error) {
      if (classify(error).kind === "systemic") throw error;
      return false;
    }
  };
  const plan = (table: TargetTable) => tables.planOf(table);
  const transaction: TargetTransaction = {
    upsert: (table, rows) => guard.run(() => upsert(session, plan(table), rows)),
    remove: (table, keys) => guard.run(() => remove(session, plan(table), keys)),
    truncate: (table, only) => guard.run(() => truncate(session, plan(table), only)),
    moveUniqueAside: (table, keys) => guard.run(() => moveUniqueAside(session, plan(table), keys, attempt)),
    savepoint: (work) => guard.savepoint(work),
    missingParents: (table, row) =>
      guard.run(() => missingParents(session, plan(table), row, (name) => tables.keyOf(name))),
    findLetters: (keys) => guard.run(() => findLetters(session, lane, keys)),
    dueLetters: (limit) => guard.run(() => dueLetters(session, lane, limit)),
    waitingLetters: (id, limit) => guard.run(() => waitingLetters(session, id, limit)),
    letters: letterDesk({ use: (work) => guard.run(() => work(session)) }),
    putLetter: (letter) => guard.run(() => putLetter(session, lane, letter, Date.now())),
    resolveLetters: (ids, state) => guard.run(() => resolveLetters(session, ids, state, Date.now())),
    stage: (position, lines) => guard.run(() => stage(session, lane, position, lines)),
    staged: (after, limit) => guard.run(() => staged(session, lane, after, limit)),
    clearStaged: () => guard.run(() => clearStaged(session, lane)),
    countRecords: (more) =>
      guard.run(async () => {
        await countRecords(session, lane, more);
        counted += more;
      }),
    guarded: guardedRows(session, lane, plan, guard.run, hub),
  };
  return { transaction, whole: guard.whole, counted: () => counted };
}

/**
 * **Maintained invariant: nothing is written after the server has rolled the transaction back** (deadlock, a lock time-out with
 * innodb_rollback_on_timeout). What came after would be committed without its checkpoint and without what came before.
 */
function wholeness(session: Session): {
  run<T>(work: () => Promise<T>): Promise<T>;
  savepoint<T>(work: () => Promise<T>): Promise<T>;
  whole(): void;
} {
  let broken: { readonly by: unknown } | undefined;
  let depth = 0;

  const whole = (): void => {
    if (broken !== undefined) throw broken.by;
  };

  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    whole();
    return work();
  };

  const savepoint = async <T>(work: () => Promise<T>): Promise<T> => {
    whole();
    depth += 1;
    const name = `lockstep_${depth}`;
    try {
      await session.write(`SAVEPOINT ${name}`);
      const result = await work();
      whole();
      await session.write(`RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      // A savepoint that is gone went with its transaction.
      await session.write(`ROLLBACK TO SAVEPOINT ${name}`).catch(() => (broken ??= { by: error }));
      throw error;
    } finally {
      depth -= 1;
    }
  };

  return { run, savepoint, whole };
}
