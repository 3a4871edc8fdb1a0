import type { ComparedTable } from "../digest/compared-table.js";
import type { Pass } from "../passage.js";
import { suspectsOf } from "./difference.js";
import type { Pace } from "./pace.js";
import { settle, type Settled } from "./settle.js";
import { comparedSlices, isSame, type SliceOptions } from "./slices.js";

/** How a table is verified. */
export interface TableVerification extends SliceOptions {
  readonly pass: Pass;
  readonly pace: Pace;
  readonly signal?: AbortSignal | undefined;
  /** Told after each slice how many rows of the source were read. */
  readonly progress: (rows: number) => void;
}

/** What was found so far, as it is found. */
export interface Finding extends Settled {
  /** Rows read since the last one. */
  readonly sourceRows: number;
  readonly targetRows: number;
}

/** Suspects that are looked at again together. */
const suspectsTogether = 2_000;

/** Compares one table; memory stays flat whatever differs. */
export async function* verifyTable(
  table: ComparedTable,
  options: TableVerification,
): AsyncGenerator<Finding, void, undefined> {
  const { pass, pace, signal, progress } = options;
  let suspects: string[] = [];
  let [sourceRows, targetRows] = [0, 0];
  const settled = async (): Promise<Finding> => {
    const found = { ...(await settle(table, suspects, pass, signal)), sourceRows, targetRows };
    suspects = [];
    [sourceRows, targetRows] = [0, 0];
    return found;
  };
  for await (const { slice, source, target } of comparedSlices(table, options)) {
    signal?.throwIfAborted();
    sourceRows += source.rows;
    targetRows += target.rows;
    if (!isSame(source, target)) {
      const [here, there] = await Promise.all([table.source.list(slice), table.target?.list(slice)]);
      suspects.push(...suspectsOf(here, there ?? new Map()));
    }
    while (suspects.length >= suspectsTogether) {
      const rest = suspects.splice(suspectsTogether);
      yield await settled();
      suspects = rest;
    }
    progress(source.rows);
    await pace(Math.max(source.read ?? source.rows, target.rows), signal);
  }
  yield await settled();
}
