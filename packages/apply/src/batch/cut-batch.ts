import type { StreamEntry } from "@lockstep/core";

/** An entry with its size, which is counted once. */
export interface SizedEntry {
  readonly entry: StreamEntry;
  readonly bytes: number;
}

/** How much of the source's changes one transaction of the target takes. */
export interface BatchLimits {
  /** Events of one batch. Default 2000: larger ones are no faster and take memory. */
  readonly maxBatchEvents: number;
  /** Bytes (characters) of keys and images of one batch. Default 8 MiB. */
  readonly maxBatchBytes: number;
}

/**
 * What to do with the entries at hand.
 * - `apply`: the first `count` entries end with a transaction: they are one batch
 * - `stage`: the first `count` entries belong to a transaction that is too large for one batch (PROTOCOL.md 4)
 * - `wait`: nothing yet; the transaction goes on in an entry that has not come
 */
export type Cut =
  | { readonly kind: "apply"; readonly count: number }
  | { readonly kind: "stage"; readonly count: number }
  | { readonly kind: "wait" };

/**
 * Cuts a batch: what is there, up to the limits, only at the end of a transaction, at the end of a tick when there is one
 * (only there a target shows a state that readers of the source saw, PROTOCOL.md 10). Takes the first whole transaction even
 * when it is larger than the limits, because it lies in memory already.
 * `staging`: a large transaction is under way, whose earlier parts are staged: parts of it are staged too, whatever their size.
 */
export function cutBatch(entries: readonly SizedEntry[], limits: BatchLimits, staging = false): Cut {
  let events = 0;
  let bytes = 0;
  let end = 0;
  let tickEnd = 0;
  let taken = 0;
  for (const { entry, bytes: size } of entries) {
    events += entry.events.length;
    bytes += size;
    const over = events > limits.maxBatchEvents || bytes > limits.maxBatchBytes;
    if (over && taken > 0) return finish(end, tickEnd, { kind: "stage", count: taken });
    taken++;
    if (!entry.continues) end = taken;
    if (!entry.continues && entry.endsTick) tickEnd = taken;
    if (over) return finish(end, tickEnd, { kind: "stage", count: taken });
  }
  const rest: Cut = staging && taken > 0 ? { kind: "stage", count: taken } : { kind: "wait" };
  return finish(end, tickEnd, rest);
}

function finish(end: number, tickEnd: number, otherwise: Cut): Cut {
  const count = tickEnd > 0 ? tickEnd : end;
  return count > 0 ? { kind: "apply", count } : otherwise;
}
