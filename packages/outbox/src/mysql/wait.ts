import { setTimeout as sleep } from "node:timers/promises";

const firstPauseMs = 2;
const maxPauseMs = 50;

/**
 * Sleeps until something new is there. There is no NOTIFY here, and a writer in this process nudges its relay itself: the table
 * is asked at short intervals while there was something lately, at longer ones when it is quiet.
 */
export function waiterOf(
  hasUnread: () => Promise<boolean>,
): (timeoutMs: number, signal?: AbortSignal) => Promise<void> {
  let pauseMs = firstPauseMs;
  return async (timeoutMs, signal) => {
    const until = performance.now() + timeoutMs;
    for (;;) {
      if (signal?.aborted) return;
      if (await hasUnread()) {
        pauseMs = firstPauseMs;
        return;
      }
      const left = until - performance.now();
      if (left <= 0) return;
      await sleep(Math.min(pauseMs, left), undefined, signal ? { signal } : {}).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, maxPauseMs);
    }
  };
}
