import type { Logger } from "@lockstep/core";
import { bullQueueTarget, type RedisConnection } from "@lockstep/stream";
import type { QueueFeed } from "./queue-feed.js";

/** Where the queues are. */
export interface QueueLink {
  readonly redis: RedisConnection;
  readonly logger?: Logger;
}

/** Queues of the user's own, as the relay feeds them. */
export interface OpenQueues {
  readonly feeds: readonly QueueFeed[];
  close(): Promise<void>;
}

/** Opens queues by name, each with tables (`namespace.name`) whose changes become its jobs. Nothing is connected before the first job. */
export function openQueues(
  link: QueueLink,
  wanted: Iterable<readonly [queue: string, tables: readonly string[]]>,
): OpenQueues {
  // One feed per queue, however many tables share it: a queue has one position, and two feeds would acknowledge each other's events.
  const byQueue = new Map<string, Set<string>>();
  for (const [queue, tables] of wanted) {
    byQueue.set(queue, new Set([...(byQueue.get(queue) ?? []), ...tables]));
  }
  const opened = [...byQueue].map(([queue, tables]) => {
    const target = bullQueueTarget({ ...link, queue });
    return { target, feed: { queue, tables: [...tables], add: target.add.bind(target) } };
  });
  return {
    feeds: opened.map(({ feed }) => feed),
    async close() {
      await Promise.allSettled(opened.map(({ target }) => target.close()));
    },
  };
}
