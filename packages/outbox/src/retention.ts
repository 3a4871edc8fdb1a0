/** How long events are kept, beyond what targets need or in spite of it. */
export interface Retention {
  /** Events that every target has applied stay this long, in case one turns out to need them. Milliseconds; default 60,000. */
  readonly graceMs?: number;
  /**
   * The most a target may lag, in milliseconds, before it is marked `needs-backfill` and no longer holds events back; also how
   * long events stay while no target is registered. Default seven days.
   */
  readonly maxAgeMs?: number;
  /** The same limit by number of events. Default: none. */
  readonly maxEvents?: number;
}

export const defaultRetention = {
  graceMs: 60_000,
  maxAgeMs: 7 * 24 * 60 * 60 * 1000,
  maxEvents: Number.MAX_SAFE_INTEGER,
} as const satisfies Required<Retention>;
