import { setTimeout as timer } from "node:timers/promises";

/** Returns after `ms`, or at once when `signal` aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** A timer that holds no process alive longer than its signal. */
export const sleepTimer: Sleep = async (ms, signal) => {
  if (signal?.aborted) return;
  await timer(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
};

/** Wakes a loop. A ring while nobody waits is kept: the next wait returns at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(private readonly sleep: Sleep) {}

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  /** Returns when the bell rings, at the latest after `ms`. One waiter at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung && ms > 0) {
      const stop = new AbortController();
      const rung = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([rung, this.sleep(ms, stop.signal)]);
      this.#wake = undefined;
      stop.abort();
    }
    this.#rung = false;
  }
}
