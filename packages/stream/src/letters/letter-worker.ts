import { backoffMs, outageBackoff, silentLogger, type DueLetter, type Logger } from "@lockstep/core";
import type { Queue, Worker } from "bullmq";
import { laneNudges, type LaneNudges } from "../lane-nudges.js";
import { linkedQueue } from "../queue/linked-queue.js";
import { newClient, openLink, type LinkOptions } from "../redis-link.js";
import { letterQueue } from "./letter-queue.js";
import { superviseWorker, type SupervisedWorker } from "./supervise-worker.js";

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

const closeTimeoutMs = 5_000;

/** Takes due letters off the schedule: marks them in the target and nudges the lane. It never writes rows (PROTOCOL.md 14). */
export async function startLetterWorker(options: LetterWorkerOptions): Promise<LetterWorker> {
  const bullmq = await import("bullmq");
  const logger = options.logger ?? silentLogger;
  const name = letterQueue(options.source);
  const link = openLink(options);
  const nudges = laneNudges(options, link);
  const queue = linkedQueue<DueLetter>(link, name.name, { prefix: name.prefix });
  const supervisor = superviseWorker({
    open: () => openWorker(bullmq, options, nudges, logger),
    overdueMs: () => queue.call(overdueMs),
    everyMs: options.stuckAfterMs ?? 15_000,
    onReplaced: () => logger.warn({ source: options.source }, "letter worker was stuck and is replaced"),
  });
  return {
    queue: name,
    async [Symbol.asyncDispose]() {
      await supervisor.close();
      nudges.close();
      await queue.close();
      link.close();
    },
  };
}

function openWorker(
  bullmq: typeof import("bullmq"),
  options: LetterWorkerOptions,
  nudges: LaneNudges,
  logger: Logger,
): SupervisedWorker {
  const { name, prefix } = letterQueue(options.source);
  const connection = newClient(options.redis, {
    lazyConnect: false,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
  });
  const settings = { backoffStrategy: (attempts = 1) => backoffMs(attempts, outageBackoff) };
  const worker = new bullmq.Worker<DueLetter>(
    name,
    async ({ data }) => {
      if (await options.markDue(data)) await nudges.nudge(data);
    },
    { connection, prefix, concurrency: 8, skipVersionCheck: true, settings },
  );
  logFailures(worker, logger);
  let progressAt = performance.now();
  const progress = (): void => void (progressAt = performance.now());
  worker.on("completed", progress);
  worker.on("failed", progress);
  return {
    lastProgressAt: () => progressAt,
    async close() {
      await closeWithin(worker, closeTimeoutMs);
      connection.disconnect();
    },
  };
}

/** How long the oldest job has been due. */
async function overdueMs(queue: Queue<DueLetter>): Promise<number | undefined> {
  const [waiting, delayed] = [await queue.getWaiting(0, 0), await queue.getDelayed(0, 0)];
  const dueAt = [...waiting, ...delayed].map((job) => job.timestamp + job.delay);
  return dueAt.length === 0 ? undefined : Date.now() - Math.min(...dueAt);
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
