import { LockstepError, type StreamWriter } from "@lockstep/core";
import type { OpenFeed } from "./open-feed.js";

/**
 * Asks whether a feed is still there as it was written. Appending would notice by itself, but a relay that has nothing to append, or waits for room, doesn't
 * append: what was in an emptied Redis, or in the suffix that a fail-over lost, would wait for the next write, or for ever.
 * @throws LockstepError STREAM_GAP.
 */
export async function refuseGone(stream: StreamWriter, { feed, epoch, window }: OpenFeed): Promise<void> {
  const head = await stream.head(feed);
  if (head && head.epoch === epoch && head.last === window.last) return;
  throw new LockstepError("STREAM_GAP", `the stream no longer ends at ${window.last}`, {
    details: { partition: feed.partition, target: feed.target, refusal: head ? "suffix" : "missing" },
  });
}
