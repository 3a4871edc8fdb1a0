import { percentile } from "../spread.js";
import { OrderWriter } from "./backlog.js";
import { type Contender, isVisible, pause } from "./drain.js";
import type { Rig } from "./rig.js";

/** Commit-to-visible, ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Writes single-row transactions at `rate` per second and watches from outside when each becomes visible in the mirror (to about 1 ms). */
export async function measureLatency(
  contender: Contender,
  { sourceUrl, capture }: Pick<Rig, "sourceUrl" | "capture">,
  { rate = 200, seconds = 10 } = {},
): Promise<Latency> {
  await contender.go();
  await using orders = await OrderWriter.open(sourceUrl, capture);
  const waiting: { readonly id: string; readonly committedAt: number }[] = [];
  const latencies: number[] = [];
  let writing = true;
  const watch = async () => {
    for (let next = 0; writing || next < waiting.length;) {
      const order = waiting[next];
      if (order !== undefined && (await isVisible(contender.mirror, order.id))) {
        latencies.push(Math.max(0, performance.now() - order.committedAt));
        next++;
      } else await pause(1);
    }
  };
  const watching = watch();
  const start = performance.now();
  for (let n = 0; n < rate * seconds; n++) {
    const due = start + (n * 1000) / rate - performance.now();
    if (due > 0) await pause(due);
    const id = await orders.write(1);
    waiting.push({ id, committedAt: performance.now() });
  }
  writing = false;
  await watching;
  // The first second warms caches and plans up on both.
  const steady = latencies.slice(rate);
  return { p50: percentile(steady, 0.5), p99: percentile(steady, 0.99) };
}
