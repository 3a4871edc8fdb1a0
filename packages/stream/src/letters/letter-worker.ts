import type { DueLetter } from "@lockstep/core";
import { laneNudges } from "../lane-nudges.js";
import { startQueueWorker } from "../queue/queue-worker.js";
import { openLink, type LinkOptions } from "../redis-link.js";
import { letterQueue } from "./letter-queue.js";

/** Settings of {@link startLetterWorker}. */
export interface LetterWorkerOptions extends LinkOptions {
  readonly source: string;
  /**
   * Marks a letter due in its target: `retrying` → `due`, when it still is at that attempt. True when it did.
   * An error means "not now": the job is tried again with backoff.
   */
  markDue(letter: DueLetter): Promise<boolean>;
  /** A worker that ends no job for this long while one is due is replaced, ms. Default 15 000. */
  readonly stuckAfterMs?: number;
}

/** A running worker; disposing it ends the jobs in hand, within 5 s. */
export interface LetterWorker extends AsyncDisposable {
  readonly queue: { readonly name: string; readonly prefix: string };
}

/** Takes due letters off the schedule: marks them in the target and nudges the lane. It never writes rows (PROTOCOL.md 14). */
export async function startLetterWorker(options: LetterWorkerOptions): Promise<LetterWorker> {
  const queue = letterQueue(options.source);
  const link = openLink(options);
  const nudges = laneNudges(options, link);
  const worker = await startQueueWorker<DueLetter>({
    ...options,
    queue,
    fields: { source: options.source },
    concurrency: 8,
    work: async ({ data }) => {
      if (await options.markDue(data)) await nudges.nudge(data);
    },
  });
  return {
    queue,
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      nudges.close();
      link.close();
    },
  };
}
