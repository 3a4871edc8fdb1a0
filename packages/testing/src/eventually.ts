import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often {@link eventually} asks. */
export interface EventuallyOptions {
  /** Give up after this many milliseconds. Default 30 000, for machines that have much else to do. */
  readonly timeoutMs?: number;
  /** Milliseconds between two questions. Default 20. */
  readonly intervalMs?: number;
  /** What is waited for, as it appears in the error. Default "the condition". */
  readonly what?: string;
}

/**
 * Asks `probe` until it answers something other than `undefined` or `false`, and returns that answer.
 * A probe that throws counts as "not yet"; its last error becomes the `cause` when time runs out.
 * @throws Error that names `what` when `timeoutMs` has passed.
 */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { timeoutMs = 30_000, intervalMs = 20, what = "the condition" } = options;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await beforeDeadline(probe(), deadline);
      if (answer !== undefined && answer !== false) return answer;
      // Cut off by the bound: the answer before tells more.
      if (performance.now() < deadline) lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const reason = lastError instanceof Error ? `: ${lastError.message}` : "";
      throw new Error(`gave up after ${timeoutMs} ms waiting for ${what}${reason}`, { cause: lastError });
    }
    await sleep(intervalMs);
  }
}

// A probe that hangs must not outlive the bound.
async function beforeDeadline<T>(answer: Promise<T>, deadline: number): Promise<T | undefined> {
  const stop = new AbortController();
  const tooLate = sleep(Math.max(0, deadline - performance.now()), undefined, { signal: stop.signal });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    stop.abort();
    tooLate.catch(() => undefined);
  }
}
