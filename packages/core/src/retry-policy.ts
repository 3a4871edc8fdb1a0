/** How a row that a target refuses is tried again before it is dead. */
export interface RetryPolicy {
  /** Tries in all, the first one included. Default 5. */
  readonly attempts: number;
  /** Delay before the second try, ms; doubles with every further one. Default 1000. */
  readonly delayMs: number;
  /** No delay is longer than this, ms. Default 300000 (5 minutes). */
  readonly maxDelayMs: number;
  /** Share of the delay that is random, 0 to 1: 0.5 gives 50 % to 100 % of it. Default 0.5. */
  readonly jitter: number;
}

/** The defaults named in {@link RetryPolicy}. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  delayMs: 1000,
  maxDelayMs: 300_000,
  jitter: 0.5,
};

/** How a lane waits while its target is away: never gives up, so it has no attempts. */
export const outageBackoff = { delayMs: 200, maxDelayMs: 10_000, jitter: 0.5 } as const;

/**
 * Delay before the next try after `failures` failed ones (1 or more): exponential, capped, with jitter.
 * `random` gives a number in [0, 1).
 */
export function backoffMs(
  failures: number,
  policy: Pick<RetryPolicy, "delayMs" | "maxDelayMs" | "jitter">,
  random: () => number = Math.random,
): number {
  const full = Math.min(policy.maxDelayMs, policy.delayMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (1 - policy.jitter * random()));
}
