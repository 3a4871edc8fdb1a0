import { hubKeepsTimes, isLockstepError, liveLetterStates, tombstoneMs } from "@lockstep/core";
import type { Applier } from "../write/applier.js";
import type { Ledger } from "../write/ledger.js";
import { laneFields, laneName, type LaneRoom, type OwnedLane } from "./lane-room.js";

const page = 500;
const maxWaiting = 5_000;
const maxPruned = 1_000;
/** A letter this much overdue is marked due by the lane itself: the jobs seem to be dead. */
const overdueMs = 30_000;

/** Hands the retries of a step to the schedule. Whatever gets lost is found again by {@link rescheduleLetters}. */
export async function scheduleLetters(room: LaneRoom, ledger: Ledger): Promise<void> {
  for (const { id, state, attempts, dueAt } of ledger.put.values()) {
    if (state === "retrying") await schedule(room, id, attempts, dueAt ?? room.now());
  }
}

/** Schedules letters again whose jobs may be lost (Redis was emptied, a worker died). True when some were marked due here. */
export async function rescheduleLetters({ room, session }: OwnedLane, before: number): Promise<boolean> {
  let marked = false;
  for (const { id, attempts, dueAt } of await session.overdueLetters(before, page)) {
    if (dueAt < room.now() - overdueMs) marked = (await room.target.letters.markDue(id, attempts)) || marked;
    else await schedule(room, id, attempts, dueAt);
  }
  return marked;
}

/** Forgets letters that have been over for long; what a pass leaves, the next one takes. */
export async function pruneLetters({ room, session }: OwnedLane): Promise<void> {
  await session.pruneLetters(room.now() - room.limits.keepLettersMs, maxPruned);
}

/** Forgets versions of rows of two-way tables that were deleted long ago. */
export async function pruneVersions({ room, session }: OwnedLane): Promise<void> {
  if (room.twoWay === undefined) return;
  const keepMs = tombstoneMs * (room.twoWay.writesTo === "hub" ? hubKeepsTimes : 1);
  await session.pruneVersions?.(keepMs, maxPruned);
}

/** Forgets what was decided long ago, or long before much else. */
export async function pruneConflicts({ room, session }: OwnedLane): Promise<void> {
  if (room.conflicts === undefined && room.twoWay === undefined) return;
  const { keepConflictsMs, maxConflicts: most } = room.limits;
  await session.pruneConflicts?.({ before: room.now() - keepConflictsMs, most, limit: maxPruned });
}

async function schedule(room: LaneRoom, letter: string, attempt: number, dueAt: number): Promise<void> {
  const { source, partition, target } = room;
  try {
    const due = { target: target.name, source, partition, letter, attempt };
    await room.schedule.schedule(due, Math.max(0, dueAt - room.now()));
  } catch (error) {
    const code = isLockstepError(error) ? error.code : "unknown";
    room.logger.warn({ ...laneFields(room), letter, code }, "letter could not be scheduled, will try again");
  }
}

/**
 * Finds waiting letters whose blocker is over (discarded by a person, or left by a step that was cut short) or that wait for each other in
 * a ring: nobody else would ever release them.
 */
export async function releaseOrphans({ room }: OwnedLane, applier: Applier): Promise<void> {
  const { letters } = room.target;
  const waiting = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const filter = { ...laneName(room), states: ["waiting"] as const };
    const found = await letters.list(filter, { limit: page, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, waitingFor } of found.letters) if (waitingFor !== undefined) waiting.set(id, waitingFor);
    cursor = found.next;
  } while (cursor !== undefined && waiting.size < maxWaiting);
  const blockers = [...new Set(waiting.values())];
  const live = new Set<string>();
  for (let i = 0; i < blockers.length; i += page) {
    const filter = { ids: blockers.slice(i, i + page), states: liveLetterStates };
    for (const { id } of (await letters.list(filter, { limit: page })).letters) live.add(id);
  }
  applier.releaseNext(blockers.filter((id) => !live.has(id) || inRing(id, waiting)));
}

/** True when following the waiting from `id` leads back to it. */
export function inRing(id: string, waiting: ReadonlyMap<string, string>): boolean {
  let next = waiting.get(id);
  for (let steps = 0; next !== undefined && steps <= waiting.size; steps++) {
    if (next === id) return true;
    next = waiting.get(next);
  }
  return false;
}
