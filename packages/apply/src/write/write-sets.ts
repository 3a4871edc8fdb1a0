import {
  assertNever,
  type Position,
  type RowWrite,
  type TargetTable,
  type TargetTransaction,
} from "@lockstep/core";
import {
  type PlannedRemove,
  type PlannedWrite,
  positionOfEvent,
  withoutBefore,
} from "../batch/planned-changes.js";
import type { ArrangedSegment, RowSet, WriteSet } from "./arrange.js";
import type { StepGuard } from "./guard/step-guard.js";
import { isGuarded, performGuarded, thereByNow } from "./guard/perform-guarded.js";
import { looseningSets } from "./loosen.js";
import type { Emptying } from "./map-segment.js";

/** Where sets are written. */
export interface Writing {
  readonly transaction: TargetTransaction;
  /** Stands before tables whose rows others may write; absent where there are none. */
  readonly guard?: StepGuard;
}

/**
 * Writes segments set-wise; the first error is thrown as it is. `meanwhile` runs while the target is busy with the first set.
 */
export async function writeSegments(
  writing: Writing,
  segments: readonly ArrangedSegment[],
  meanwhile?: () => void,
): Promise<void> {
  const { transaction, guard } = writing;
  let idle = meanwhile;
  for (const { truncates, sets: arranged } of segments) {
    for (const one of truncates) await empty(writing, one);
    const sets = guard === undefined ? arranged : await guard.pass(arranged);
    for (const set of sets) {
      const writing = perform(transaction, set);
      idle?.();
      idle = undefined;
      await writing;
    }
  }
}

/**
 * The same with everything out of each other's way first: unique values moved aside, key changes as insert and delete, and, when `untie` is
 * true, rows untied that point to each other (PROTOCOL.md 17).
 */
export async function writeSegmentsAside(
  writing: Writing,
  segments: readonly ArrangedSegment[],
  untie: boolean,
): Promise<void> {
  const { transaction, guard } = writing;
  for (const { truncates, sets: arranged } of segments) {
    for (const one of truncates) await empty(writing, one);
    // Before anything is moved aside: what the guard holds back is not written afterwards.
    const sets = guard === undefined ? arranged : await guard.pass(arranged);
    await moveAside(transaction, sets);
    const split = sets.flatMap(splitKeyChanges);
    if (untie) for (const set of looseningSets(split)) await perform(transaction, set);
    const rest = untie ? split.map(thereByNow) : split;
    for (const set of rest) if (set.kind === "write") await perform(transaction, set);
    for (const left of leftKeys(sets)) await leave(transaction, left);
    for (const set of rest) if (set.kind === "remove") await perform(transaction, set);
  }
}

/** Empties a table, and forgets what its rows were. */
export async function empty({ transaction, guard }: Writing, { table, only }: Emptying): Promise<void> {
  if (guard?.keeps(table) === true) return;
  await transaction.truncate(table, only);
  await guard?.emptied(table, only);
}

async function leave(
  transaction: TargetTransaction,
  { table, keys, guarded }: ReturnType<typeof leftKeys>[number],
): Promise<void> {
  await transaction.remove(table, keys);
  if (guarded)
    await transaction.guarded?.keepBases(
      table,
      keys.map((key) => ({ key })),
    );
}

/** One set. */
export async function perform(transaction: TargetTransaction, set: RowSet): Promise<void> {
  if (isGuarded(set)) return performGuarded(transaction, set);
  switch (set.kind) {
    case "write":
      return transaction.upsert(set.table, set.table.wantsPositions ? set.rows.map(positioned) : set.rows);
    case "remove": {
      const keys = set.rows.map((row) => row.key);
      if (!set.table.wantsPositions) return transaction.remove(set.table, keys);
      return transaction.remove(set.table, keys, set.rows.map(placeOf));
    }
    default:
      return assertNever(set);
  }
}

function positioned(row: PlannedWrite): RowWrite {
  const { key, image, before } = row;
  const position = placeOf(row);
  return before === undefined ? { key, image, position } : { key, image, before, position };
}

function placeOf({ part, event }: PlannedWrite | PlannedRemove): Position {
  return positionOfEvent(part, event);
}

/** True when moving rows out of each other's way can change the outcome. */
export function hasWaysAside(segments: readonly ArrangedSegment[]): boolean {
  return segments.some(({ sets }) =>
    sets.some(
      (set) =>
        set.table.hasSecondaryUnique ||
        (set.kind === "write" && set.rows.some((row) => row.before !== undefined)),
    ),
  );
}

/** Moves the unique values of all rows of these sets aside that the sets will write whole or remove. */
export async function moveAside(transaction: TargetTransaction, sets: readonly RowSet[]): Promise<void> {
  for (const set of sets) {
    if (!set.table.hasSecondaryUnique) continue;
    const keys = set.kind === "write" ? set.rows.flatMap(keysAside) : set.rows.map((row) => row.key);
    if (keys.length > 0) await transaction.moveUniqueAside(set.table, keys);
  }
}

// A partial image might leave the moved value where it is: its row stays as it was.
function keysAside(row: PlannedWrite): readonly string[] {
  if (row.partial) return [];
  return row.before === undefined ? [row.key] : [row.key, row.before];
}

function splitKeyChanges(set: RowSet): readonly RowSet[] {
  if (set.kind === "remove" || !set.rows.some(isWholeKeyChange)) return [set];
  return [{ ...set, rows: set.rows.map((row) => (isWholeKeyChange(row) ? withoutBefore(row) : row)) }];
}

/** Keys that whole key changes of these sets leave behind, by table. */
function leftKeys(
  sets: readonly RowSet[],
): { readonly table: TargetTable; readonly keys: string[]; readonly guarded: boolean }[] {
  const writes = sets.filter((set): set is WriteSet => set.kind === "write");
  return writes
    .toReversed()
    .map((set) => {
      const { table, rows } = set;
      const written = new Set(rows.map((row) => row.key));
      const left = rows.flatMap((row) => (isWholeKeyChange(row) ? [row.before] : []));
      return { table, keys: left.filter((key) => !written.has(key)), guarded: isGuarded(set) };
    })
    .filter(({ keys }) => keys.length > 0);
}

function isWholeKeyChange(row: PlannedWrite): row is PlannedWrite & { readonly before: string } {
  return row.before !== undefined && !row.partial;
}
