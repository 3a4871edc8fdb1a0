import type { TableSchema } from "@lockstep/core";
import type { Key } from "../digest/column.js";
import type { ComparedTable, ShownColumn } from "../digest/compared-table.js";
import { differingColumns } from "./describe-row.js";
import type { Difference } from "./difference.js";
import type { LetteredKeys } from "./letters.js";
import type { ReportedRow, TableReport } from "./report.js";
import type { Place } from "./progress.js";
import { counterOf } from "./counter.js";
import type { Finding } from "./verify-table.js";

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
export interface TableRoom {
  readonly maxReported: number;
  readonly letters: LetteredKeys;
  readonly showsValues: boolean;
  /** Columns of the source that are nobody's to see. */
  readonly hides: (table: string, column: string) => boolean;
  readonly mend?: Mend | undefined;
  /** Told what was found up to a place behind which another process could go on. */
  readonly reached?: (report: TableReport, place: Place) => Promise<void>;
}

/** Counts what is found in one table, and has it mended. `before`: what was found up to where the findings begin. */
export async function reportTable(
  table: ComparedTable,
  schema: TableSchema,
  findings: AsyncIterable<Finding>,
  room: TableRoom,
  before?: TableReport,
): Promise<TableReport> {
  const counted = counterOf(table, room.mend !== undefined, before);
  let lettered: ReadonlySet<string> | undefined;
  for await (const found of findings) {
    if (found.differences.size > 0) lettered ??= await room.letters(table.id);
    const wrong: DifferingRow[] = [];
    for (const [canonical, difference] of found.differences) {
      const key = difference.origin ?? table.sourceKey(JSON.parse(canonical) as Key);
      const row = { ...difference, canonical, key };
      const isLettered = lettered!.has(JSON.stringify(key));
      if (!isLettered && row.kind !== "unmapped") wrong.push(row);
      const isNamed = counted.named < room.maxReported;
      counted.row(
        row.kind,
        isLettered,
        isNamed ? await described(table, schema, row, isLettered, room) : undefined,
      );
    }
    counted.found(found);
    if (wrong.length > 0 && room.mend !== undefined) counted.mended(await room.mend(table, schema, wrong));
    if (found.place !== undefined) await room.reached?.(counted.report, found.place);
  }
  return counted.report;
}

async function described(
  table: ComparedTable,
  schema: TableSchema,
  { kind, canonical, key, failed }: DifferingRow,
  isLettered: boolean,
  { showsValues, hides }: TableRoom,
): Promise<ReportedRow> {
  const own = JSON.parse(canonical) as Key;
  const isShown = ({ shows }: ShownColumn): boolean => shows !== undefined && !hides(table.id, shows);
  return {
    kind,
    ...(table.hidesKey || key === undefined
      ? named("targetKey", own, (i) => table.key[i]!.shows === undefined || isShown(table.key[i]!))
      : named("key", key, (i) => !hides(table.id, schema.key[i]!))),
    ...(kind === "differing" && (await differingColumns(table, own, showsValues ? isShown : undefined))),
    ...(failed !== undefined && { about: failed }),
    ...(isLettered && { letter: true as const }),
  };
}

/** What a masked text of a key is shown as. */
const hiddenText = "***";

function named(
  as: "key" | "targetKey",
  texts: Key,
  isShown: (place: number) => boolean,
): Pick<ReportedRow, "key" | "targetKey" | "isMasked"> {
  const shown = texts.map((text, i) => (isShown(i) ? text : hiddenText));
  return { [as]: shown, ...(texts.some((_, i) => !isShown(i)) && { isMasked: true as const }) };
}
