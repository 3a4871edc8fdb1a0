import {
  backoffMs,
  isLockstepError,
  kindAndPlace,
  type LaneSession,
  LockstepError,
  outageBackoff,
} from "@lockstep/core";
import { follow } from "./follow.js";
import { laneFields, laneName, type LaneRoom, type OwnedLane } from "./lane-room.js";
import { firstCheckpoint } from "./registering.js";
import { sessionLost } from "./session-lost.js";
import { type Verdict, verdictOf } from "./verdict.js";

/** A lane's whole life: stands by until it owns the lane, follows the stream, and begins anew after every fault, until it is to stop. */
export async function live(room: LaneRoom, hold: (session: LaneSession | undefined) => void): Promise<void> {
  while (!room.stopping.aborted) {
    try {
      const session = await takeOver(room);
      if (session === undefined) return;
      hold(session);
      try {
        await own(room, session);
      } finally {
        if (room.stopping.aborted) await room.acks.flush();
        room.acks.release();
        hold(undefined);
        await session[Symbol.asyncDispose]();
      }
    } catch (error) {
      if (room.stopping.aborted) return;
      if (isLockstepError(error, "TARGET_FENCED")) await giveWay(room);
      else
        await pause(
          room,
          verdictOf(error, (one) => room.target.classify(one)),
          () => false,
          error,
        );
    }
  }
}

/** Tries to own the lane until it does; `undefined` when the lane is to stop. */
async function takeOver(room: LaneRoom): Promise<LaneSession | undefined> {
  const { target, status } = room;
  const { id } = await target.open();
  if (status.targetId !== "" && status.targetId !== id) {
    throw new LockstepError("TARGET_IDENTITY_CHANGED", `${target.name} is another database than before`);
  }
  status.targetId = id;
  for (;;) {
    const session = await target.lane(laneName(room));
    if (session !== undefined) return session;
    await standBy(room);
    if (room.stopping.aborted) return undefined;
  }
}

/** Whatever rings, whoever fenced this lane out has so long to take it, ms. */
const giveWayMs = 300;

/** Somebody else has taken the lane, or is about to. */
async function giveWay(room: LaneRoom): Promise<void> {
  room.status.phase = { name: "standing-by" };
  await room.sleep(giveWayMs, room.stopping);
}

/** Another session owns the lane: nothing is wrong, so nothing is reported. */
async function standBy({ status, limits, bell, random }: LaneRoom): Promise<void> {
  status.phase = { name: "standing-by" };
  await bell.wait(limits.standByMs * (0.75 + 0.5 * random()));
}

/** Works as the owner; returns when the lane is to stop, throws when the session is of no use any more. */
async function own(room: LaneRoom, session: LaneSession): Promise<void> {
  const lane = ownedLane(room, session);
  room.logger.info(laneFields(room), "lane is owned");
  let epoch: number | undefined;
  while (!room.stopping.aborted) {
    room.nudges.seen = room.nudges.count;
    try {
      await room.twoWay?.prepare?.();
      const checkpoint = await firstCheckpoint(lane);
      // It was fenced out while it paused: the lock alone would let it go on, and whoever did it waits for the lane.
      if (epoch !== undefined && checkpoint !== undefined && checkpoint.epoch !== epoch) throw fenced();
      epoch = checkpoint?.epoch;
      if (checkpoint !== undefined) await follow(lane, checkpoint);
      else if (lane.lost()) throw sessionLost();
    } catch (error) {
      const verdict = verdictOf(error, (one) => room.target.classify(one));
      if (verdict.action === "reopen" || lane.lost()) throw error;
      await pause(room, verdict, lane.lost, error);
    }
  }
}

function ownedLane(room: LaneRoom, session: LaneSession): OwnedLane {
  const { target, partition, status, bell } = room;
  let lost = false;
  session.lost.then(
    () => {
      lost = true;
      bell.ring();
    },
    () => undefined,
  );
  const announcement = { id: status.targetId, name: target.name, address: target.address, partition };
  return { room, session, announcement, lost: () => lost };
}

function fenced(): LockstepError {
  return new LockstepError("TARGET_FENCED", "the lane was taken over while it paused");
}

/** However often it is nudged, a lane in trouble waits at least this long, ms. */
const nudgedMs = 200;

/** Waits after a fault: with backoff, or half a minute when a person has to act. A nudge ends the wait. */
async function pause(room: LaneRoom, verdict: Verdict, lost: () => boolean, error: unknown): Promise<void> {
  const { status, limits, elapsed, random, nudges, faults, bell, stopping, logger } = room;
  const halted = verdict.action === "halt";
  const ms = halted ? limits.haltRetryMs : backoffMs(++faults.count, outageBackoff, random);
  const until = elapsed() + ms;
  const soonest = elapsed() + Math.min(ms, nudgedMs);
  const { code, message } = verdict;
  status.failed(code);
  status.phase = { name: halted ? "halted" : "paused", reason: { code, message } };
  const fields = { ...laneFields(room), code, message, error: kindAndPlace(error), ms };
  logger.warn(fields, halted ? "lane halted" : "lane paused");
  // A nudge that came while the last attempt was failing counts as well.
  const nudged = (): boolean => nudges.count !== nudges.seen;
  while (!stopping.aborted && !lost() && elapsed() < (nudged() ? soonest : until)) {
    await bell.wait((nudged() ? soonest : until) - elapsed());
  }
}
