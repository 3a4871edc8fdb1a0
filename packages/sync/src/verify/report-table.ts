import type { TableSchema } from "@lockstep/core";
import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import { differingColumns } from "./describe-row.js";
import type { Difference } from "./difference.js";
import type { LetteredKeys } from "./letters.js";
import type { ReportedRow, TableReport } from "./report.js";
import { type TableVerification, verifyTable } from "./verify-table.js";

/** A row that differs, by both its keys. */
export interface DifferingRow extends Difference {
  /** JSON of the canonical key. */
  readonly canonical: string;
  /** As the source prints it; absent where a mask hides which row of the source it was. */
  readonly key?: Key | undefined;
}

/** Sets rows right; gives how many were sent, and how many differ all the same. */
export type Mend = (
  table: ComparedTable,
  schema: TableSchema,
  rows: readonly DifferingRow[],
) => Promise<{ readonly sent: number; readonly remaining: number }>;

/** What reporting one table takes. */
export interface TableRoom extends Omit<TableVerification, "isChosen" | "progress"> {
  readonly sample: number;
  readonly maxReported: number;
  readonly random: () => number;
  readonly letters: LetteredKeys;
  readonly showsValues?: (table: string, column: string) => boolean;
  readonly onProgress?: (table: string, rows: number) => void;
  readonly mend?: Mend | undefined;
}

/** Compares one table and counts what differs. */
export async function reportTable(
  table: ComparedTable,
  schema: TableSchema,
  room: TableRoom,
): Promise<TableReport> {
  const began = performance.now();
  const { sample, random, onProgress, mend } = room;
  const rows = { source: 0, target: 0 };
  const counts = { missing: 0, extra: 0, differing: 0, unmapped: 0, letters: 0, unsettled: 0 };
  const mended = { sent: 0, remaining: 0 };
  const differences: ReportedRow[] = [];
  let lettered: ReadonlySet<string> | undefined;
  const verification = {
    ...room,
    isChosen: () => sample >= 1 || random() < sample,
    progress: (read: number) => onProgress?.(table.id, read),
  };
  for await (const found of verifyTable(table, verification)) {
    rows.source += found.sourceRows;
    rows.target += found.targetRows;
    counts.unsettled += found.unsettled;
    if (found.differences.size > 0) lettered ??= await room.letters(table.id);
    const wrong: DifferingRow[] = [];
    for (const [canonical, difference] of found.differences) {
      const key = difference.origin ?? table.sourceKey(JSON.parse(canonical) as Key);
      const row = { ...difference, canonical, key };
      const isLettered = lettered!.has(JSON.stringify(key));
      counts[isLettered ? "letters" : row.kind]++;
      if (!isLettered && row.kind !== "unmapped") wrong.push(row);
      if (differences.length < room.maxReported)
        differences.push(await described(table, row, isLettered, room));
    }
    if (mend === undefined || wrong.length === 0) continue;
    const { sent, remaining } = await mend(table, schema, wrong);
    mended.sent += sent;
    mended.remaining += remaining;
  }
  const ms = Math.round(performance.now() - began);
  const { id, to, leftOut } = table;
  return {
    table: id,
    ...(to !== undefined && { to }),
    rows,
    ...counts,
    leftOut,
    differences,
    ...(mend && { mended }),
    ms,
  };
}

async function described(
  table: ComparedTable,
  { kind, canonical, key, failed }: DifferingRow,
  isLettered: boolean,
  { showsValues }: TableRoom,
): Promise<ReportedRow> {
  const own = JSON.parse(canonical) as Key;
  return {
    kind,
    ...(table.hidesKey || key === undefined ? { targetKey: own } : { key }),
    ...(kind === "differing" && (await differingColumns(table, own, showsValues))),
    ...(failed !== undefined && { about: failed }),
    ...(isLettered && { letter: true as const }),
  };
}
