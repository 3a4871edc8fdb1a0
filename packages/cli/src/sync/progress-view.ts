import type { FullSyncProgress, TableProgress } from "@lockstep/sync";

/** Sums of a full sync's progress. */
export interface ProgressSums {
  readonly rows: number;
  readonly removed: number;
  /** Rows that all tables have, by the statistics of the source; never less than were copied. */
  readonly expected: number;
  /** The table under way. */
  readonly table: string;
}

/** Adds up. Pure. */
export function sumsOf({ tables }: FullSyncProgress): ProgressSums {
  const add = (of: (table: TableProgress) => number): number =>
    tables.reduce((sum, table) => sum + of(table), 0);
  const current =
    tables.find(({ phase }) => phase === "copying") ?? tables.find(({ phase }) => phase !== "done");
  return {
    rows: add(({ rows }) => rows),
    removed: add(({ removed }) => removed),
    expected: add(({ rows, estimatedRows = 0, phase }) =>
      phase === "copying" ? Math.max(rows, estimatedRows) : rows,
    ),
    table: current === undefined ? "" : `${current.table.namespace}.${current.table.name}`,
  };
}
