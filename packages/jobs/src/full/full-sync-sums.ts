import { tableId } from "@lockstep/core";
import type { FullSyncProgress, TableProgress } from "@lockstep/sync";
import type { JobSums } from "../kind/job-kind.js";

/** Adds up. Expected are the rows that all tables have, by the statistics of the source. Pure. */
export function fullSyncSums({ tables = [] }: Partial<FullSyncProgress>): JobSums {
  const add = (of: (table: TableProgress) => number): number =>
    tables.reduce((sum, table) => sum + of(table), 0);
  const current =
    tables.find(({ phase }) => phase === "loading" || phase === "copying") ??
    tables.find(({ phase }) => phase !== "done");
  return {
    rows: add(({ rows }) => rows),
    removedRows: add(({ removed }) => removed),
    expectedRows: add(({ rows, estimatedRows = 0, phase }) =>
      phase === "copying" || phase === "loading" ? Math.max(rows, estimatedRows) : rows,
    ),
    ...(current !== undefined && { table: tableId(current.table) }),
  };
}
