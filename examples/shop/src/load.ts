import type { Shop } from "./shop.js";

/** What a load did. */
export interface LoadResult {
  readonly transactions: number;
  readonly seconds: number;
}

/**
 * Lets the shop act at `rate` per second for `seconds`, by at most `clients` at once. When the database can't keep up the load is what it can take:
 * nothing queues up. An action that fails for another reason than the shop's own ends the load with its error.
 */
export async function runLoad(
  shop: Shop,
  {
    seconds,
    rate,
    clients = 8,
    signal,
  }: {
    readonly seconds: number;
    readonly rate: number;
    readonly clients?: number;
    readonly signal?: AbortSignal;
  },
): Promise<LoadResult> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let transactions = 0;
  const client = async () => {
    while (elapsed() < seconds && !signal?.aborted) {
      const due = ++transactions / rate - elapsed();
      if (due > 0) await pause(due * 1000);
      await shop.act();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { transactions, seconds: elapsed() };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
