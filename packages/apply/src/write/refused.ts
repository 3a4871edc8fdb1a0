import { type DeadLetterDetail, type ErrorCode, type TargetTable, tableId } from "@lockstep/core";
import {
  type PlannedRemove,
  type PlannedWrite,
  type RowId,
  rowId,
  type SourceChange,
} from "../batch/planned-changes.js";
import { arrangeSets, type RemoveSet, type RowSet, type WriteSet } from "./arrange.js";

/** Why the target refuses a row. `about` names a constraint or column. */
export interface RowFault {
  readonly code: ErrorCode;
  readonly about?: string;
  /** The driver's own message; it may hold values (PROTOCOL.md 33). */
  readonly rawError: string;
}

/** The fault of a row that is only about to be tried again. */
export const untried: RowFault = { code: "TARGET_REFUSED", rawError: "" };

/** A row that failed alone; or a row of the source that could not be mapped. */
export type Refused = (
  | { readonly kind: "write"; readonly row: PlannedWrite }
  | { readonly kind: "remove"; readonly row: PlannedRemove }
) & {
  readonly table: TargetTable;
  readonly fault: RowFault;
  /** The letter whose own image failed again; absent for a new change. */
  readonly letter?: DeadLetterDetail;
  /** The row of the same step that this one can't go without. */
  readonly waitsFor?: RowId;
};

/** The change of the source that a row comes from. */
export function sourceOf(one: SourceChange): SourceChange {
  return one.row.source ?? one;
}

/** The source row's name across tables: letters, and what waits for them, are about rows of the source. */
export function rowIdOf({ row }: Pick<Refused, "row">): RowId {
  const { schema, key } = row.source?.row ?? row;
  return rowId(tableId(schema), key);
}

/** One for each row of the source: a fault of its own goes before one that other rows may mend. */
export function onePerRow(refused: readonly Refused[]): Refused[] {
  const rows = new Map<RowId, Refused>();
  for (const one of refused) {
    const id = rowIdOf(one);
    const known = rows.get(id);
    if (known === undefined || (dependsOnOthers(known) && !dependsOnOthers(one))) rows.set(id, one);
  }
  return [...rows.values()];
}

/** True for faults that may vanish when other rows of the batch are written or removed first. */
export function dependsOnOthers({ fault }: Pick<Refused, "fault">): boolean {
  return (
    fault.code === "TARGET_UNIQUE" ||
    fault.code === "TARGET_FOREIGN_KEY" ||
    fault.code === "TARGET_WOULD_CASCADE"
  );
}

/** Rows as sets again, in the order in which a target takes them. */
export function regroup(refused: readonly Refused[]): RowSet[] {
  const writes = new Map<TargetTable, PlannedWrite[]>();
  const removes = new Map<TargetTable, PlannedRemove[]>();
  for (const one of refused) {
    if (one.kind === "write") listOf(writes, one.table).push(one.row);
    else listOf(removes, one.table).push(one.row);
  }
  return arrangeSets(
    [...writes].map(([table, rows]): WriteSet => ({ kind: "write", table, rows })),
    [...removes].map(([table, rows]): RemoveSet => ({ kind: "remove", table, rows })),
  );
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (!list) lists.set(key, (list = []));
  return list;
}
