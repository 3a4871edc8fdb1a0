/** How long the write-ahead log is kept for targets. */
export interface WalRetention {
  /** Bytes of the log held back by the slot beyond which it is a trouble, and said loudly. Default 1 GiB. */
  readonly maxHeldBytes?: number;
  /**
   * What happens beyond `maxHeldBytes`. `applied` (default): the log is held on, for no change may be lost; `published`: what Redis holds is
   * confirmed, so that the source's disk doesn't fill. A target whose changes are neither in the log nor in Redis then needs to be seeded again.
   */
  readonly confirm?: "applied" | "published";
  /** The most a target may lag, milliseconds, before it is marked `needs-backfill` and holds nothing back. Default seven days. */
  readonly maxAgeMs?: number;
}

/** What holds where {@link WalRetention} says nothing. */
export const walRetentionDefaults = {
  maxHeldBytes: 1024 * 1024 * 1024,
  confirm: "applied",
  maxAgeMs: 7 * 24 * 60 * 60 * 1000,
} as const satisfies WalRetention;
