import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { MeasuredWork, OpenMeasured } from "./left-behind.js";

const [what, module, name, ...args] = process.argv.slice(2);
const opened = ((await import(module!)) as Record<string, OpenMeasured>)[name!]!;

type Collection = PerformanceEntry & { readonly detail: { readonly kind: number; readonly flags: number } };

/** A full collection may be under way, and keeps what it has seen. */
const attempts = 5;

async function bytesLeft(work: MeasuredWork): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < attempts; i++) {
    await work.run();
    // Twice: what is young survives one.
    for (let n = 0; n < 2; n++) gc!({ type: "minor" });
    const young = inUse();
    gc!();
    least = Math.min(least, young - inUse());
  }
  return least;
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function collections(work: MeasuredWork): Promise<number> {
  let count = 0;
  let isLast = false;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as Collection[]) {
      if (detail.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      if (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) isLast = true;
      else count++;
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  await work.run();
  // It hears of them later, and in their order: of one that is asked for behind all others.
  gc!();
  while (!isLast) await setImmediate();
  observer.disconnect();
  return count;
}

{
  await using work = await opened(...args);
  const figure = await (what === "left-behind" ? bytesLeft(work) : collections(work));
  process.stdout.write(`${figure}\n`);
}
// Clients that are closed may wait for a while.
process.exit();
