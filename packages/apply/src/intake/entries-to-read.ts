import type { BatchLimits } from "../batch/cut-batch.js";

/** What the last read gave. */
export interface LastRead {
  readonly entries: number;
  readonly events: number;
  readonly bytes: number;
}

const fewestEntries = 4;
/** The relay cuts entries of 256 KiB (a larger row is one by itself): 16 MiB at most, whatever the entries before were like. */
const mostEntries = 64;

/**
 * How many entries to ask for, as nobody knows how large they are: about half a batch of entries like the last ones, and at most twice as
 * many as came then, so that many at a time are asked for only where many small ones follow each other. Pure.
 */
export function entriesToRead({ maxBatchEvents, maxBatchBytes }: BatchLimits, last: LastRead): number {
  const { entries, events, bytes } = last;
  const perEntry = { events: Math.max(1, events / entries || 0), bytes: Math.max(1, bytes / entries || 0) };
  const halfBatch = Math.min(maxBatchEvents / 2 / perEntry.events, maxBatchBytes / 2 / perEntry.bytes);
  return Math.max(fewestEntries, Math.floor(Math.min(mostEntries, halfBatch, entries * 2)));
}
