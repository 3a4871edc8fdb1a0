import { setTimeout as sleep } from "node:timers/promises";

/** Holds work to a rate: returns when so many rows may have been read. */
export type Pace = (rows: number, signal?: AbortSignal) => Promise<void>;

/** At most `rowsPerSecond` on average; without a bound when that is undefined. */
export function paceOf(rowsPerSecond: number | undefined): Pace {
  const began = performance.now();
  let done = 0;
  return async (rows, signal) => {
    if (rowsPerSecond === undefined) return;
    done += rows;
    const aheadMs = (done / rowsPerSecond) * 1000 - (performance.now() - began);
    if (aheadMs > 0) await sleep(aheadMs, undefined, signal && { signal });
  };
}
