import type { RowImage, RowWrite } from "@lockstep/core";
import type { TablePlan } from "../tables/mysql-table.js";

/** A row and the rows it needs to exist before itself. */
interface Node<T> {
  readonly row: T;
  waitsFor: number;
  readonly next: Node<T>[];
}

/**
 * Orders rows so that each comes after those it points to (InnoDB checks foreign keys row by row). `points(row)` gives the ids a row points to;
 * ids outside the set don't matter. Rows on a cycle, and what hangs on them, come as `cyclic`.
 */
export function parentsFirst<T>(
  rows: readonly T[],
  idsOf: (row: T) => readonly string[],
  points: (row: T) => readonly string[],
): { readonly ordered: readonly T[]; readonly cyclic: readonly T[] } {
  const nodes = rows.map((row): Node<T> => ({ row, waitsFor: 0, next: [] }));
  const byId = new Map(nodes.flatMap((node) => idsOf(node.row).map((id) => [id, node] as const)));
  for (const node of nodes) {
    for (const id of points(node.row)) {
      const parent = byId.get(id);
      if (parent === undefined || parent === node) continue;
      parent.next.push(node);
      node.waitsFor += 1;
    }
  }
  const ready = nodes.filter((node) => node.waitsFor === 0);
  // Grows while it is walked.
  for (const node of ready) {
    for (const next of node.next) {
      next.waitsFor -= 1;
      if (next.waitsFor === 0) ready.push(next);
    }
  }
  return {
    ordered: ready.map((node) => node.row),
    cyclic: nodes.filter((node) => node.waitsFor > 0).map((node) => node.row),
  };
}

/** {@link parentsFirst} for images of a table that references itself. */
export function writesParentsFirst(
  plan: TablePlan,
  rows: readonly RowWrite[],
): { readonly ordered: readonly RowWrite[]; readonly cyclic: readonly RowWrite[] } {
  const place = new Map(plan.columns.map((column) => [column.name, column.place]));
  const text = (image: RowImage, columns: readonly string[], of: string): readonly string[] => {
    const cells = columns.map((name) => image[place.get(name) ?? -1]);
    return cells.every((cell) => typeof cell === "string") ? [JSON.stringify([of, ...cells])] : [];
  };
  return parentsFirst(
    rows,
    (row) => plan.selfKeys.flatMap((key) => text(row.image, key.parentColumns, key.name)),
    (row) => plan.selfKeys.flatMap((key) => text(row.image, key.columns, key.name)),
  );
}
