import { type ChangeEvent, parseVersion, type StreamEntry } from "@lockstep/core";

/**
 * The entry without what a node of two-way sync sent itself and its source gives back: the node has seen it. This only saves traffic (the versions would say the same), and
 * spares what a repair sends once more. Pure.
 */
export function withoutEchoes(node: string, entry: StreamEntry): StreamEntry {
  if (!entry.events.some((event) => isEcho(node, event))) return entry;
  let index = 0;
  const events: ChangeEvent[] = [];
  const transactions = entry.transactions.map((transaction) => {
    const own = entry.events.slice(index, (index += transaction.events));
    const left = own.filter((event) => !isEcho(node, event));
    events.push(...left);
    return { ...transaction, events: left.length };
  });
  return { ...entry, transactions, events };
}

function isEcho(node: string, { op, version }: ChangeEvent): boolean {
  return version !== undefined && op !== "snapshot" && parseVersion(version).from === node;
}
