import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Without options: everything. */
type Collect = (options?: { readonly type: "minor" }) => void;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as Collect;

/** A full collection may be under way, and keeps what it has seen. */
const attempts = 5;

/**
 * Bytes that `work` leaves for V8's next full collection to find, its young ones having been, at the least of several times: garbage that lives so long
 * costs many times what it should.
 */
export async function leftBehind(work: () => Promise<void>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < attempts; i++) {
    await work();
    // Twice: what is young survives one.
    for (let n = 0; n < 2; n++) collect({ type: "minor" });
    const young = inUse();
    collect();
    least = Math.min(least, young - inUse());
  }
  return least;
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How often V8 collects everything while `work` runs. It does so when what has grown old has grown, and when much lies in Buffers, however short they are needed. */
export async function fullCollections(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as (PerformanceEntry & { detail: { kind: number } })[])
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count++;
  });
  observer.observe({ entryTypes: ["gc"] });
  try {
    await work();
    // It hears of them a little later.
    await setTimeout(20);
    return count;
  } finally {
    observer.disconnect();
  }
}
