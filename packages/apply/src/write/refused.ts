import { type DeadLetterDetail, type ErrorCode, type TargetTable, tableId } from "@lockstep/core";
import { type PlannedRemove, type PlannedWrite, type RowId, rowId } from "../batch/planned-changes.js";
import { arrangeSets, type RemoveSet, type RowSet, type WriteSet } from "./arrange.js";

/** Why the target refuses a row. `about` names a constraint or column. */
export interface RowFault {
  readonly code: ErrorCode;
  readonly about?: string;
  /** The driver's own message; it may hold values (PROTOCOL.md 33). */
  readonly rawError: string;
}

/** A row that failed alone. */
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

/** The row's name across tables. */
export function rowIdOf({ table, row }: Pick<Refused, "table" | "row">): RowId {
  return rowId(tableId(table.schema), row.key);
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
