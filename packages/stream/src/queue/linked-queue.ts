import type { Queue, QueueOptions } from "bullmq";
import type { RedisLink } from "../redis-link.js";

/** A BullMQ queue on a link's connection. */
export interface LinkedQueue<T> {
  /** Runs `work` when the connection is up. @throws LockstepError STREAM_UNAVAILABLE. */
  call<R>(work: (queue: Queue<T>) => Promise<R>): Promise<R>;
  /** The link stays open. */
  close(): Promise<void>;
}

/** A queue that is opened by its first call, once Redis is there, and that loads BullMQ only then. */
export function linkedQueue<T>(
  link: RedisLink,
  name: string,
  options: Omit<QueueOptions, "connection">,
): LinkedQueue<T> {
  let opening: Promise<Queue<T>> | undefined;
  return {
    async call(work) {
      const bullmq = await import("bullmq");
      return link.call(async (client) => {
        opening ??= open<T>(bullmq, client, name, options);
        try {
          return await work(await opening);
        } catch (error) {
          // A Queue whose first look at Redis failed stays rejected for good, whatever Redis does afterwards.
          await opening?.catch(() => (opening = undefined));
          throw error;
        }
      });
    },
    async close() {
      const queue = await opening?.catch(() => undefined);
      await queue?.close();
    },
  };
}

async function open<T>(
  bullmq: typeof import("bullmq"),
  connection: object,
  name: string,
  options: Omit<QueueOptions, "connection">,
): Promise<Queue<T>> {
  const queue = new bullmq.Queue<T>(name, { ...options, connection, skipVersionCheck: true });
  queue.on("error", () => undefined);
  try {
    await queue.waitUntilReady();
    return queue as Queue<T>;
  } catch (error) {
    await queue.close().catch(() => undefined);
    throw error;
  }
}
