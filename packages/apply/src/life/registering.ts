import {
  type Checkpoint,
  isLockstepError,
  LockstepError,
  type TargetAnnouncement,
  type TargetConfirmation,
} from "@lockstep/core";
import { historyGone } from "../intake/catch-up.js";
import type { OwnedLane } from "./lane-room.js";

const announceEveryMs = 1_000;
const lookEveryMs = 50;

/**
 * The checkpoint to start from. A lane that has one starts at once; a new one announces itself until the relay has confirmed the target
 * and starts where the relay says (PROTOCOL.md 20). `undefined` when the lane is to stop.
 * @throws LockstepError CONFIG_INVALID, HISTORY_GONE, SOURCE_REPLACED, STREAM_UNAVAILABLE.
 */
export async function firstCheckpoint(lane: OwnedLane): Promise<Checkpoint | undefined> {
  const { room, session, announcement } = lane;
  const known = await session.checkpoint();
  if (known !== undefined) return known;
  room.status.phase = { name: "registering" };
  let announcedAt = -Infinity;
  while (!room.stopping.aborted && !lane.lost()) {
    if (room.elapsed() - announcedAt >= announceEveryMs) {
      announcedAt = room.elapsed();
      await room.reader.announce(announcement);
    }
    const confirmation = await room.reader.confirmation(announcement);
    if (confirmation !== undefined) {
      refuseUnusable(lane, confirmation, undefined);
      const { start: position, incarnation } = confirmation;
      return session.register({ position, incarnation });
    }
    await room.bell.wait(lookEveryMs);
  }
  return undefined;
}

/** Confirms a lane that runs already, without holding it up. True when the relay has answered. @throws LockstepError CONFIG_INVALID, HISTORY_GONE, SOURCE_REPLACED. */
export async function confirmed(lane: OwnedLane, checkpoint: Checkpoint): Promise<boolean> {
  try {
    const { room, announcement } = lane;
    await room.reader.announce(announcement);
    const confirmation = await room.reader.confirmation(announcement);
    if (confirmation === undefined) return false;
    refuseUnusable(lane, confirmation, checkpoint);
    return true;
  } catch (error) {
    // The stream may go on without the relay's answer; reading it says more.
    if (isLockstepError(error, "STREAM_UNAVAILABLE")) return false;
    throw error;
  }
}

/**
 * Looks whether the relay serves another source by now: its positions may be lower than the lane's, which would then wait for entries that never come.
 * @throws LockstepError SOURCE_REPLACED.
 */
export async function refuseReplaced(
  { room, announcement }: OwnedLane,
  checkpoint: Pick<Checkpoint, "incarnation">,
): Promise<void> {
  try {
    const confirmation = await room.reader.confirmation(announcement);
    // A relay that begins with another source forgets who announced itself to the one before.
    if (confirmation === undefined) await room.reader.announce(announcement);
    else refuseAnother(announcement, confirmation, checkpoint);
  } catch (error) {
    if (!isLockstepError(error, "STREAM_UNAVAILABLE")) throw error;
  }
}

function refuseAnother(
  target: TargetAnnouncement,
  { incarnation }: Pick<TargetConfirmation, "incarnation">,
  checkpoint: Pick<Checkpoint, "incarnation">,
): void {
  if (checkpoint.incarnation === incarnation) return;
  throw new LockstepError("SOURCE_REPLACED", "the relay serves another source than the checkpoint's", {
    details: { target: target.name, partition: target.partition },
  });
}

function refuseUnusable(
  { room, announcement: target }: OwnedLane,
  { state, incarnation, partitions }: TargetConfirmation,
  checkpoint: Checkpoint | undefined,
): void {
  // Fewer lanes than partitions would leave out the rows of the rest without a word.
  if (partitions !== room.partitions) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `sources.${room.source}.partitions: the relay publishes ${partitions}, this consumer reads ${room.partitions}`,
    );
  }
  if (state === "needs-backfill") throw historyGone(target);
  if (checkpoint !== undefined) refuseAnother(target, { incarnation }, checkpoint);
}
