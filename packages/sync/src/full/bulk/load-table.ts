import type { KeyRange } from "@lockstep/core";
import { keep } from "../keep.js";
import type { FullSyncWork, Stopped } from "../room.js";
import { type Load, type LoadedRange, loadRange } from "./load-range.js";
import { type Loading, withLoaded, withoutLoad } from "./loads.js";

/** So many ranges are under way at once: while one waits for its commit, or for the reading of its first row, another one goes on. */
const atOnce = 2;
const rangeBytes = 32 * 1024 * 1024;
const unknownRowBytes = 1_024;
const maxRangeRows = 200_000;
/** Ranges in a row that were refused whole: the rest of the table goes through the stream. */
const enough = 2;

/** Rows of one range of a table: large enough that a transaction costs nothing, small enough that what a kill throws away doesn't either. Pure. */
export function rangeRows(rowBytes: number | undefined, mostRows: number): number {
  const byBytes = Math.floor(rangeBytes / Math.max(1, rowBytes ?? unknownRowBytes));
  return Math.max(1, Math.min(byBytes, maxRangeRows, mostRows));
}

interface Under {
  readonly through: readonly string[];
  readonly result: Promise<LoadedRange>;
}

/** Loads what is left of a table, range by range, as long as `goesOn`. What is kept is a beginning of it that is through, so that it can end anywhere. */
export async function loadTable(
  work: FullSyncWork,
  place: number,
  load: Load,
  goesOn: () => boolean,
): Promise<Stopped | undefined> {
  const { pace, options } = work;
  const { through, after, estimatedRowBytes, noExtra } = work.progress.tables[place] as Loading;
  const into: Load = noExtra ? load : { ...load, merges: true };
  const rows = rangeRows(estimatedRowBytes, pace.most());
  const most = options.maxRowsPerSecond === undefined ? atOnce : 1;
  const under: Under[] = [];
  let rest: KeyRange | undefined = { ...(after !== undefined && { after }), through };
  let refusedInARow = 0;
  try {
    for (;;) {
      while (rest !== undefined && under.length < most && refusedInARow < enough && goesOn()) {
        const end: readonly string[] | undefined = await load.reader.cut(load.schema, rest, rows);
        under.push(begin(into, { ...rest, through: end ?? through }, rows));
        rest = end === undefined ? undefined : { after: end, through };
      }
      const first = under.shift();
      if (first === undefined) break;
      const loaded = await first.result;
      const stopped = await keep(
        work,
        withLoaded(work.progress, place, { ...loaded, through: first.through }),
      );
      if (stopped !== undefined) return stopped;
      work.told();
      refusedInARow = loaded.rows === 0 && loaded.refused.length > 0 ? refusedInARow + 1 : 0;
      await work.sleep(pace.after(loaded.rows, work.now()));
    }
    const givesUp = rest !== undefined && refusedInARow >= enough;
    return givesUp ? await keep(work, withoutLoad(work.progress, place)) : undefined;
  } finally {
    // Whatever ended it: the lanes are let go next, and nothing may be under way then.
    await Promise.allSettled(under.map(({ result }) => result));
  }
}

function begin(load: Load, range: KeyRange, rows: number): Under {
  const result = loadRange(load, range, rows);
  // It may fail while an earlier one is waited for.
  result.catch(() => undefined);
  return { through: range.through, result };
}
