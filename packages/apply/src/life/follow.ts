import type { Checkpoint } from "@lockstep/core";
import { Intake } from "../intake/intake.js";
import { Applier } from "../write/applier.js";
import { LiveLetters } from "../write/live-letters.js";
import { oneWayRules, type TableRules, twoWayRules } from "../write/guard/table-rule.js";
import { TableBook } from "../write/table-book.js";
import { Following } from "./following.js";
import { laneName, type LaneRoom, type OwnedLane } from "./lane-room.js";

const abandonMs = 1_000;

/** Follows the stream from a checkpoint until the lane is to stop; throws what ends it otherwise. */
export async function follow(lane: OwnedLane, checkpoint: Checkpoint): Promise<void> {
  const { room, session } = lane;
  const tables = new TableBook(room.reader, session, room.partitions, room.mapping, rulesOf(room));
  const live = await LiveLetters.load(room.target.letters, laneName(room), room.mapping?.sealer);
  // What waits for a letter names the row by the target's table: only a mapping that is known leads back to the letter's row.
  if (room.mapping !== undefined) await tables.learnForLetters(live.schemas);
  const { target, retry, limits, refusals, now, random } = room;
  const applier = new Applier({
    lane: laneName(room),
    session,
    target,
    tables,
    live,
    checkpoint,
    retry,
    limits,
    refusals,
    now,
    random,
  });
  const ended = new AbortController();
  const intake = openIntake(lane, checkpoint, ended.signal);
  const following = new Following(lane, applier, intake);
  try {
    await following.run();
  } finally {
    ended.abort();
    // Its last read must not answer into the time of the next intake.
    await Promise.race([intake.done, room.sleep(abandonMs)]);
    room.status.oldestAt = () => undefined;
  }
}

function rulesOf({ source, target, conflicts, twoWay }: LaneRoom): TableRules | undefined {
  return twoWay === undefined ? oneWayRules(conflicts) : twoWayRules(twoWay, source, target.name);
}

function openIntake({ room, announcement }: OwnedLane, checkpoint: Checkpoint, signal: AbortSignal): Intake {
  const { reader, limits, elapsed, random, sleep, logger, bell, twoWay } = room;
  return new Intake({
    reader,
    limits,
    elapsed,
    random,
    sleep,
    logger,
    signal,
    target: announcement,
    isNode: twoWay !== undefined,
    from: checkpoint.stagedThrough ?? checkpoint.position,
    incarnation: checkpoint.incarnation,
    wake: bell.ring,
  });
}
