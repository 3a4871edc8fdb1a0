import { backoffMs, kindAndPlace, outageBackoff, reasonOf, silentLogger } from "@lockstep/core";
import type { Job, Queue, Worker } from "bullmq";
import { newClient, openLink, type LinkOptions } from "../redis-link.js";
import { linkedQueue } from "./linked-queue.js";
import { superviseWorker, type SupervisedWorker } from "./supervise-worker.js";

/** Settings of {@link startQueueWorker}. */
export interface QueueWorkerOptions<T> extends LinkOptions {
  readonly queue: { readonly name: string; readonly prefix: string };
  /** Whose jobs they are, for the log. */
  readonly fields: object;
  readonly concurrency: number;
  /** Short work. An error means "not now": the job is tried again with backoff. */
  work(job: Job<T>): Promise<void>;
  /** A worker that ends no job for this long while one is due is replaced, ms. Default 15 000. */
  readonly stuckAfterMs?: number;
}

const closeTimeoutMs = 5_000;
/** The same failure of a worker is logged again after this long, ms. */
const sayAgainMs = 60_000;

/** Settings of the jobs' retries, for whoever adds them. A job that stays would make its id's next use a silent no-op. */
export const shortJobs = {
  streams: { events: { maxLen: 1_000 } },
  defaultJobOptions: {
    removeOnComplete: true,
    removeOnFail: true,
    attempts: 10,
    backoff: { type: "custom" },
    keepLogs: 0,
    stackTraceLimit: 1,
    sizeLimit: 16_384,
  },
};

/** Works on a queue; a worker that has silently stopped is replaced. Disposing ends the jobs in hand, within 5 s. */
export async function startQueueWorker<T>(options: QueueWorkerOptions<T>): Promise<AsyncDisposable> {
  const bullmq = await import("bullmq");
  const logger = options.logger ?? silentLogger;
  const { name, prefix } = options.queue;
  const link = openLink(options);
  const queue = linkedQueue<T>(link, name, { prefix });
  const supervisor = superviseWorker({
    open: () => openWorker(bullmq, options),
    overdueMs: () => queue.call(overdueMs),
    everyMs: options.stuckAfterMs ?? 15_000,
    onReplaced: () =>
      logger.warn({ ...options.fields, queue: name }, "queue worker was stuck and is replaced"),
  });
  return {
    async [Symbol.asyncDispose]() {
      await supervisor.close();
      await queue.close();
      link.close();
    },
  };
}

function openWorker<T>(bullmq: typeof import("bullmq"), options: QueueWorkerOptions<T>): SupervisedWorker {
  const { redis, queue, concurrency, work } = options;
  const connection = newClient(redis, {
    lazyConnect: false,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
  });
  const settings = { backoffStrategy: (attempts = 1) => backoffMs(attempts, outageBackoff) };
  const worker = new bullmq.Worker<T>(queue.name, (job) => work(job), {
    connection,
    prefix: queue.prefix,
    concurrency,
    skipVersionCheck: true,
    settings,
  });
  logFailures(worker, options);
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
async function overdueMs(queue: Queue): Promise<number | undefined> {
  const [waiting, delayed] = [await queue.getWaiting(0, 0), await queue.getDelayed(0, 0)];
  const dueAt = [...waiting, ...delayed].map((job) => job.timestamp + job.delay);
  return dueAt.length === 0 ? undefined : Date.now() - Math.min(...dueAt);
}

function logFailures<T>(
  worker: Worker<T>,
  { logger = silentLogger, fields, queue }: QueueWorkerOptions<T>,
): void {
  worker.on("failed", (job, error) => {
    const about = { ...fields, queue: queue.name, ...(job?.data as object | undefined) };
    logger.warn(
      { ...about, error: kindAndPlace(error), because: reasonOf(error) },
      "queued job failed, and is tried again",
    );
  });
  let said = { error: "", at: -Infinity };
  // Each of its connections says so at each attempt to connect: an outage of hours would fill the log.
  worker.on("error", (cause) => {
    const [error, at] = [kindAndPlace(cause), performance.now()];
    if (error === said.error && at - said.at < sayAgainMs) return;
    said = { error, at };
    logger.warn({ ...fields, queue: queue.name, error, because: reasonOf(cause) }, "queue worker failed");
  });
}

/** BullMQ's close has no time limit of its own: a job that hangs, or Redis being away, would hold the process for ever. */
async function closeWithin<T>(worker: Worker<T>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  const closing = worker.close().catch(() => undefined);
  if ((await Promise.race([closing, late])) === "late") void worker.close(true).catch(() => undefined);
  clearTimeout(timer);
}
