import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import type { Pass } from "../passage.js";
import { suspectsOf } from "./difference.js";
import type { Pace } from "./pace.js";
import type { Place } from "./progress.js";
import { settle, type Settled } from "./settle.js";
import { comparedSlices, isSame, type SliceOptions } from "./slices.js";

/** How a table is verified. */
export interface TableVerification extends SliceOptions {
  readonly pass: Pass;
  readonly pace: Pace;
  readonly signal?: AbortSignal | undefined;
  /** A few suspects wait for others for so long, ms: until they are settled, no other process could go on from here. */
  readonly tellEveryMs: number;
}

/** What was found so far, as it is found. */
export interface Finding extends Settled {
  /** Rows read since the last one. */
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Everything before it is settled: where another process could go on. */
  readonly place?: Place | undefined;
}

/** Suspects that are looked at again together. */
const suspectsTogether = 2_000;

const nothing: Settled = { differences: new Map(), unsettled: 0 };

/** Compares one table; memory stays flat whatever differs. */
export async function* verifyTable(
  table: ComparedTable,
  options: TableVerification,
): AsyncGenerator<Finding, void, undefined> {
  const { pass, pace, signal, tellEveryMs } = options;
  let suspects: string[] = [];
  let suspectedAt = 0;
  let [sourceRows, targetRows] = [0, 0];
  const settled = async (place?: Place): Promise<Finding> => {
    const some = suspects.slice(0, suspectsTogether);
    suspects = suspects.slice(suspectsTogether);
    const result = some.length === 0 ? nothing : await settle(table, some, pass, signal);
    const found = { ...result, sourceRows, targetRows, place: suspects.length === 0 ? place : undefined };
    [sourceRows, targetRows] = [0, 0];
    return found;
  };
  for await (const { slice, source, target, place } of comparedSlices(table, options)) {
    signal?.throwIfAborted();
    sourceRows += source.rows;
    targetRows += target.rows;
    if (!isSame(source, target)) {
      const [here, there] = await Promise.all([table.source.list(slice), table.target?.list(slice)]);
      if (suspects.length === 0) suspectedAt = performance.now();
      suspects.push(...suspectsOf(here, there ?? new Map()));
    }
    while (suspects.length >= suspectsTogether) yield await settled(place);
    const isDue = suspects.length === 0 || performance.now() - suspectedAt >= tellEveryMs;
    if (isDue && place !== undefined) yield await settled(place);
    await pace(Math.max(source.read ?? source.rows, target.rows), signal);
  }
  yield await settled();
}

/** Looks at what a cache holds: rows that it lacks are not missing, they come back when they change. */
export async function* verifyHeld(
  table: ComparedTable,
  pages: AsyncIterable<readonly string[]>,
  { pass, pace, signal }: Pick<TableVerification, "pass" | "pace" | "signal">,
): AsyncGenerator<Finding, void, undefined> {
  for await (const page of pages) {
    signal?.throwIfAborted();
    const keys = page.map((key) => JSON.parse(key) as Key);
    const [here, there] = await Promise.all([table.source.at(keys), table.target!.at(keys)]);
    const { differences, unsettled } = await settle(table, suspectsOf(here, there), pass, signal);
    const told = [...differences].filter(([, { kind }]) => kind !== "missing");
    yield { differences: new Map(told), unsettled, sourceRows: here.size, targetRows: there.size };
    await pace(Math.max(here.size, there.size), signal);
  }
}

/** Looks at these rows alone, by their canonical keys (JSON). */
export async function* judgeRows(
  table: ComparedTable,
  keys: readonly string[],
  { pass, signal }: Pick<TableVerification, "pass" | "signal">,
): AsyncGenerator<Finding, void, undefined> {
  for (let i = 0; i < keys.length; i += suspectsTogether) {
    const some = keys.slice(i, i + suspectsTogether);
    const result = await settle(table, some, pass, signal);
    yield { ...result, sourceRows: some.length, targetRows: some.length };
  }
}
