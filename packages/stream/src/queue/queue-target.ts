import { Queue } from "bullmq";
import { openLink, type LinkOptions } from "../redis-link.js";

/** A change as a job of the user's own queue. All values are the database's texts. */
export interface ChangeJob {
  /** `namespace.name` of the table. */
  readonly table: string;
  readonly op: "insert" | "update" | "delete" | "snapshot" | "truncate";
  /** Primary key by column name. Empty for `truncate`. */
  readonly key: Readonly<Record<string, string>>;
  /** The row by column name; absent for `delete` and `truncate`. Columns whose value is not known here are left out. */
  readonly row?: Readonly<Record<string, string | null>>;
  /** The key before, when the change moved it. */
  readonly before?: Readonly<Record<string, string>>;
  /** Place in the change stream: `<tick>-<n>`; also the job's id. */
  readonly position: string;
  /** When the source wrote it, ms since 1970. */
  readonly at: number;
}

/** Settings of {@link bullQueueTarget}. */
export interface QueueTargetOptions extends LinkOptions {
  /** Name of the BullMQ queue. */
  readonly queue: string;
  /** Its key prefix. Default `bull`, BullMQ's own; give a `{tag}` on Redis Cluster. */
  readonly prefix?: string;
}

/** A BullMQ queue of the user's own, as a target of changes. */
export interface QueueTarget {
  readonly queue: string;
  /** Adds jobs in order. Adding a job again while it exists is a no-op. @throws LockstepError STREAM_UNAVAILABLE. */
  add(jobs: readonly ChangeJob[]): Promise<void>;
  close(): Promise<void>;
}

/** Hands changes to a user's queue: job name is the op, job id the position. Job options (attempts, backoff) are the worker's and queue's own. */
export function bullQueueTarget(options: QueueTargetOptions): QueueTarget {
  const link = openLink(options);
  const queue = new Queue<ChangeJob>(options.queue, {
    connection: link.client,
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    skipVersionCheck: true,
  });
  queue.on("error", () => undefined);
  return {
    queue: options.queue,
    async add(jobs) {
      if (jobs.length === 0) return;
      await link.call(() =>
        queue.addBulk(jobs.map((data) => ({ name: data.op, data, opts: { jobId: data.position } }))),
      );
    },
    async close() {
      await queue.close();
      link.close();
    },
  };
}
