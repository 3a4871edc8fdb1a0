import { backoffMs, outageBackoff, silentLogger, type DueLetter, type Logger } from "@lockstep/core";
import { Worker } from "bullmq";
import { laneNudges } from "../lane-nudges.js";
import { newClient, openLink, type LinkOptions } from "../redis-link.js";
import { letterQueue } from "./letter-queue.js";

/** Settings of {@link startLetterWorker}. */
export interface LetterWorkerOptions extends LinkOptions {
  readonly source: string;
  /**
   * Marks a letter due in its target: `retrying` → `due`, when it still is at that attempt. True when it did.
   * An error means "not now": the job is tried again with backoff.
   */
  markDue(letter: DueLetter): Promise<boolean>;
}

/** A running worker; disposing it ends the job in hand, at most 5 s. */
export interface LetterWorker extends AsyncDisposable {
  readonly queue: { readonly name: string; readonly prefix: string };
}

const closeTimeoutMs = 5_000;

/** Takes due letters off the schedule: marks them in the target and nudges the lane. It never writes rows (PROTOCOL.md 14). */
export function startLetterWorker(options: LetterWorkerOptions): LetterWorker {
  const logger = options.logger ?? silentLogger;
  const queue = letterQueue(options.source);
  const link = openLink(options);
  const nudges = laneNudges(options, link);
  const connection = newClient(options.redis, {
    lazyConnect: false,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
  });
  const worker = new Worker<DueLetter>(
    queue.name,
    async ({ data }) => {
      if (await options.markDue(data)) await nudges.nudge(data);
    },
    {
      connection,
      prefix: queue.prefix,
      concurrency: 8,
      skipVersionCheck: true,
      settings: { backoffStrategy: (attempts = 1) => backoffMs(attempts, outageBackoff) },
    },
  );
  logFailures(worker, logger);
  return {
    queue,
    async [Symbol.asyncDispose]() {
      await closeWithin(worker, closeTimeoutMs);
      nudges.close();
      link.close();
      connection.disconnect();
    },
  };
}

function logFailures(worker: Worker<DueLetter>, logger: Logger): void {
  worker.on("failed", (job, error) => {
    const { target, partition, letter } = job?.data ?? {};
    logger.warn({ target, partition, letter, error: error.name }, "letter could not be marked due");
  });
  worker.on("error", (error) => logger.warn({ error: error.name }, "letter worker failed"));
}

/** BullMQ's close has no time limit of its own: a job that hangs, or Redis being away, would hold the process for ever. */
async function closeWithin(worker: Worker, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  const closing = worker.close().catch(() => undefined);
  if ((await Promise.race([closing, late])) === "late") void worker.close(true).catch(() => undefined);
  clearTimeout(timer);
}
