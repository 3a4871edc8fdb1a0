import { LockstepError, type RegisteredTarget } from "@lockstep/core";
import { isQueueTarget } from "../queue/queue-identity.js";
import type { RelayContext } from "../relay-context.js";

/**
 * Keeps the number of partitions in the source, and refuses another one while targets follow: a row's partition would change under
 * lanes that stand at different positions, and its older change could be applied last (PROTOCOL.md 23).
 * @throws LockstepError PARTITIONS_CHANGED.
 */
export async function settlePartitions(
  { log, partitions }: RelayContext,
  registered: readonly RegisteredTarget[],
): Promise<void> {
  const kept = await log.partitions();
  if (kept === partitions) return;
  if (kept !== undefined && followsAnybody(registered)) {
    throw new LockstepError(
      "PARTITIONS_CHANGED",
      `the source's targets follow ${kept} partitions, the configuration says ${partitions}`,
      { details: { kept, partitions } },
    );
  }
  await log.keepPartitions(partitions);
}

/** True when a target's lanes follow the streams; a queue reads the log, and is in no partition. */
export function followsAnybody(registered: readonly RegisteredTarget[]): boolean {
  return registered.some((target) => target.state === "following" && !isQueueTarget(target));
}
