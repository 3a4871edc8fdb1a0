/** One look for changes, and what it found. */
export interface Look {
  /** From the beginning of the look before to the beginning of this one, ms. */
  readonly sinceMs: number;
  /** From its beginning until all that it found was published, ms. */
  readonly tookMs: number;
  /** Transactions that it found: they came since the look before. */
  readonly transactions: number;
}

/** Fewer say nothing of how fast they come. */
const fewest = 4;

/**
 * How long to rest before the next look, ms: until `restMs` after this one began while transactions come faster than one in two ms, else not at all. Each look
 * costs the source a commit and a read, whatever it finds; a busy source has better use for them. Pure.
 */
export function restAfter({ sinceMs, tookMs, transactions }: Look, restMs: number): number {
  const isBusy = transactions >= fewest && transactions > sinceMs / 2;
  return isBusy ? Math.max(0, restMs - tookMs) : 0;
}
