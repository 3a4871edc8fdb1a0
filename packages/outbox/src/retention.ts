import { lasting, type Lasting } from "./lasting.js";

/** How long events are kept, beyond what targets need or in spite of it. */
export interface Retention {
  /** Events that every target has applied stay this long, in case one turns out to need them. Milliseconds; default 60,000. */
  readonly graceMs?: number;
  /**
   * The most a target may lag, in milliseconds, before it is marked `needs-backfill` and no longer holds events back; also how
   * long events stay while no target is registered. Default seven days.
   */
  readonly maxAgeMs?: number;
  /** For how long a target must look so old before it is marked, because a clock may jump. Milliseconds; default one hour, at most `maxAgeMs`. */
  readonly spanMs?: number;
  /** The same limit by number of events. Default: none. */
  readonly maxEvents?: number;
}

/** What pruning goes by. */
export interface PruneLimits extends Required<Omit<Retention, "spanMs">> {
  readonly lasting: Lasting;
}

/** A retention with what it leaves open; remembers what it has looked at. */
export function pruneLimits(retention: Retention = {}): PruneLimits {
  const limits = { ...defaultRetention, ...retention };
  return { ...limits, lasting: lasting(limits) };
}

const defaultRetention = {
  graceMs: 60_000,
  maxAgeMs: 7 * 24 * 60 * 60 * 1000,
  maxEvents: Number.MAX_SAFE_INTEGER,
} as const satisfies Retention;
