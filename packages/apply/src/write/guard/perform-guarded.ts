import {
  assertNever,
  type BaseKept,
  type GuardedRows,
  LockstepError,
  type TargetTable,
  type TargetTransaction,
  type VersionWrite,
} from "@lockstep/core";
import type { PlannedRemove, PlannedWrite, RowGuard } from "../../batch/planned-changes.js";
import type { RemoveSet, RowSet, WriteSet } from "../arrange.js";

/** Whether the rows of a set have passed the guard: then all of them have. */
export function isGuarded(set: RowSet): boolean {
  return set.rows[0]?.guard !== undefined;
}

/** What the transaction can do for guarded rows. @throws LockstepError CONFIG_INVALID when the target can't. */
export function guardedRows({ guarded }: TargetTransaction): GuardedRows {
  if (guarded !== undefined) return guarded;
  throw new LockstepError("CONFIG_INVALID", "conflicts: this target can't tell who wrote its rows");
}

/**
 * A set that has passed the guard: versions, rows, then bases and records, so that whatever the target refuses takes all of it back with the savepoint. Versions go first because
 * who reads the target's log must know a row's version when the row comes.
 */
export async function performGuarded(transaction: TargetTransaction, set: RowSet): Promise<void> {
  const guarded = guardedRows(transaction);
  const versions = set.rows.flatMap((row) => versionOf(row, set.kind === "remove"));
  if (versions.length > 0) await guarded.putVersions(set.table, versions);
  switch (set.kind) {
    case "write":
      await writeRows(transaction, guarded, set);
      break;
    case "remove":
      await transaction.remove(
        set.table,
        set.rows.map(({ key }) => key),
      );
      break;
    default:
      assertNever(set);
  }
  if (versions.length === 0) await guarded.keepBases(set.table, basesOf(set));
  const conflicts = set.rows.flatMap(({ guard }) => guard?.conflict ?? []);
  if (conflicts.length > 0) await guarded.record(conflicts);
  await tellOthers(
    guarded,
    set.table,
    set.rows.flatMap(({ key, guard }) => (guard?.tell === true ? [key] : [])),
  );
}

/** Sends rows to the leaves that no capture need have seen. */
export async function tellOthers(
  guarded: GuardedRows,
  table: TargetTable,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  // Without it the leaves would never hear of the decision, and wait for it for ever.
  if (guarded.announce === undefined)
    throw new LockstepError(
      "CONFIG_INVALID",
      "twoWay: the hub's target can't write to its outbox as a source",
    );
  await guarded.announce(table, keys);
}

async function writeRows(
  transaction: TargetTransaction,
  guarded: GuardedRows,
  { table, rows }: WriteSet,
): Promise<void> {
  const fresh = rows.filter((row) => row.guard?.insert === true);
  const known = rows.filter((row) => row.guard?.insert !== true);
  if (fresh.length > 0) await guarded.insert(table, fresh);
  if (known.length > 0) await transaction.upsert(table, known);
}

function versionOf({ key, guard }: PlannedWrite | PlannedRemove, deleted: boolean): VersionWrite[] {
  return guard?.version === undefined ? [] : [{ key, version: guard.version, deleted }];
}

function basesOf(set: WriteSet | RemoveSet): BaseKept[] {
  const own = set.rows.map(({ key, guard }): BaseKept => baseOf(key, guard));
  if (set.kind === "remove") return own;
  const written = new Set(set.rows.map(({ key }) => key));
  const left = set.rows.flatMap(({ before }) =>
    before === undefined || written.has(before) ? [] : [before],
  );
  return [...own, ...left.map((key) => ({ key }))];
}

function baseOf(key: string, guard: RowGuard | undefined): BaseKept {
  return guard?.decided === undefined ? { key } : { key, decided: guard.decided };
}

/** The same rows when those that could be untied have been made already. */
export function thereByNow(set: RowSet): RowSet {
  if (set.kind === "remove" || !isGuarded(set)) return set;
  return { ...set, rows: set.rows.map((row) => (isLoosened(row) ? inserted(row) : row)) };
}

/** Whether untying makes a row that isn't there. */
export function isLoosened({ before, partial }: PlannedWrite): boolean {
  return before === undefined && !partial;
}

function inserted(row: PlannedWrite): PlannedWrite {
  if (row.guard === undefined) return row;
  return { ...row, image: row.image, guard: { ...row.guard, insert: false } };
}
