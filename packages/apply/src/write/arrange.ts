import { type TargetTable, tableId } from "@lockstep/core";
import { parentsFirst } from "../batch/order-tables.js";
import type { PlannedRemove, PlannedWrite } from "../batch/planned-changes.js";
import type { Emptying, RoutedSegment } from "./map-segment.js";

/** Rows of one table that one statement (or few) can write. */
export interface WriteSet {
  readonly kind: "write";
  readonly table: TargetTable;
  readonly rows: readonly PlannedWrite[];
}

/** Rows of one table that one statement (or few) can delete. */
export interface RemoveSet {
  readonly kind: "remove";
  readonly table: TargetTable;
  readonly rows: readonly PlannedRemove[];
}

export type RowSet = WriteSet | RemoveSet;

/** A segment in the order in which a target takes it: truncates and deletes children first, writes parents first (PROTOCOL.md 16). */
export interface ArrangedSegment {
  readonly truncates: readonly Emptying[];
  /** Writes, then removes. */
  readonly sets: readonly RowSet[];
}

/** Puts a segment in order. Pure. */
export function arrange(segment: Pick<RoutedSegment, "truncates" | "tables">): ArrangedSegment {
  const writes: WriteSet[] = [];
  const removes: RemoveSet[] = [];
  for (const changes of segment.tables) {
    const { table } = changes;
    if (changes.writes.length > 0) writes.push({ kind: "write", table, rows: changes.writes });
    if (changes.removes.length > 0) removes.push({ kind: "remove", table, rows: changes.removes });
  }
  return {
    truncates: inOrder(segment.truncates, ({ table }) => table).toReversed(),
    sets: arrangeSets(writes, removes),
  };
}

/** Writes parents first, then removes children first. */
export function arrangeSets(writes: readonly WriteSet[], removes: readonly RemoveSet[]): RowSet[] {
  return [...inOrder(writes, (set) => set.table), ...inOrder(removes, (set) => set.table).toReversed()];
}

function inOrder<T>(items: readonly T[], tableOf: (item: T) => TargetTable): T[] {
  if (items.length < 2) return [...items];
  const tables = items.map((item) => {
    const { schema, parents } = tableOf(item);
    return { id: tableId(schema), parents };
  });
  const rank = new Map(parentsFirst(tables).map((id, i) => [id, i]));
  const rankOf = (item: T): number => rank.get(tableId(tableOf(item).schema)) ?? 0;
  return [...items].sort((a, b) => rankOf(a) - rankOf(b));
}
