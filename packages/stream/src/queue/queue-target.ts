import { openLink, type LinkOptions } from "../redis-link.js";
import { linkedQueue } from "./linked-queue.js";

/** A change as the data of a job in the user's own queue. All values are the database's texts. */
export interface ChangeJob {
  /** Name of the source: several may share a queue. */
  readonly source: string;
  /** `namespace.name` of the table. */
  readonly table: string;
  readonly op: "insert" | "update" | "delete" | "snapshot" | "truncate";
  /** Primary key by column name. Empty for `truncate`. */
  readonly key: Readonly<Record<string, string>>;
  /** The row by column name; absent for `delete` and `truncate`. Columns whose value is not known here are left out. */
  readonly row?: Readonly<Record<string, string | null>>;
  /** The key before, when the change moved it. */
  readonly before?: Readonly<Record<string, string>>;
  /** Place in the source's change stream: `<tick>-<n>`. */
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

/** A change and the id of its job: no `:`, not digits only. */
export interface IdentifiedJob {
  readonly id: string;
  readonly data: ChangeJob;
}

/** A BullMQ queue of the user's own, as a target of changes. */
export interface QueueTarget {
  readonly queue: string;
  /** Adds jobs in order. Adding a job again while it exists is a no-op. @throws LockstepError STREAM_UNAVAILABLE. */
  add(jobs: readonly IdentifiedJob[]): Promise<void>;
  close(): Promise<void>;
}

/** Hands changes to a user's queue; the job's name is the op. Job options (attempts, backoff) are the worker's and queue's own. */
export function bullQueueTarget(options: QueueTargetOptions): QueueTarget {
  const link = openLink(options);
  const { queue: name, prefix } = options;
  const queue = linkedQueue<ChangeJob>(link, name, prefix === undefined ? {} : { prefix });
  return {
    queue: name,
    async add(jobs) {
      if (jobs.length === 0) return;
      const bulk = jobs.map(({ id, data }) => ({ name: data.op, data, opts: { jobId: id } }));
      await queue.call((open) => open.addBulk(bulk));
    },
    async close() {
      await queue.close();
      link.close();
    },
  };
}
