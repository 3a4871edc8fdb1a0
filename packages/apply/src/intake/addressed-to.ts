import type { StreamEntry } from "@lockstep/core";

/**
 * The entry without what isn't for this target: rows that a full sync or a repair wrote for others. It covers the same positions, so
 * the chain and the checkpoint go on. Pure.
 */
export function addressedTo(target: string, entry: StreamEntry): StreamEntry {
  const isMine = ({ audience }: StreamEntry["transactions"][number]): boolean =>
    audience === undefined || audience.includes(target);
  if (entry.transactions.every(isMine)) return entry;
  let index = 0;
  const events = entry.transactions.flatMap((transaction) => {
    const own = entry.events.slice(index, (index += transaction.events));
    return isMine(transaction) ? own : [];
  });
  return { ...entry, transactions: entry.transactions.filter(isMine), events };
}
