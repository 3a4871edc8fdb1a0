import { LockstepError, positionOf, startPosition } from "@lockstep/core";
import { type MysqlSession, readKept, type TableNames } from "@lockstep/outbox/mysql";
import { beginningOfLog, endOfLog, keepMark, type Mark, newestMark, stampMark } from "./marks.js";

/** So much of the log without a captured change is worth a mark: the server may purge what lies before it. */
const quietBytes = 4n * 1024n * 1024n;

/** Keeps where the furthest reader stands, when that is news. */
export async function markProgress(session: MysqlSession, names: TableNames, found: Mark): Promise<void> {
  if (found.stamp === 0) return;
  await stampMark(session, names, found);
  const newest = await newestMark(session, names);
  const isNews =
    newest === undefined ||
    (found.boundary > newest.boundary &&
      (found.total > newest.total || found.boundary - newest.boundary > quietBytes));
  if (isNews) await keepMark(session, names, found);
}

/**
 * Sees to it that there is a mark which the server still has what follows of: the newest, or one at the log's end when there is none, or
 * it was purged.
 * @throws LockstepError SNAPSHOT_WENT_BACK, CONFIG_INVALID.
 */
export async function ensureUsableMark(session: MysqlSession, names: TableNames): Promise<void> {
  const known = await newestMark(session, names);
  if (known && known.boundary >= (await beginningOfLog(session))) return;
  // Before the outbox is looked at: what is written from now on lies behind the mark, its outbox rows included.
  const { base, boundary } = await endOfLog(session);
  if (!known) await refuseUndrained(session, names);
  if (known && known.boundary > boundary) throw logWentBack();
  // What lies between is lost: only a position from here on may be taken to have it.
  const last = known ? positionOf(boundary, 0) : startPosition;
  await keepMark(session, names, { boundary, base, stamp: 0, total: known?.total ?? 0, last });
}

/**
 * While nobody follows, the log counts from its end on: whatever lies before, be it unreadable, is needed by none, and a target that comes starts behind it.
 * Asked before anything is read, so that all readers count from the same place.
 */
export async function passWhatNobodyNeeds(session: MysqlSession, names: TableNames): Promise<void> {
  // The lock that registration takes (PROTOCOL.md 20).
  await session.batch(`START TRANSACTION; SELECT 1 FROM ${names.state} FOR UPDATE`);
  const following = await session.rows(`SELECT 1 FROM ${names.target} WHERE state = 'following' LIMIT 1`);
  const kept = await readKept(session, names);
  const known = await newestMark(session, names);
  const { base, boundary } = await endOfLog(session);
  // While the source changes over to another capture, where this log ends stands in it.
  const isNeeded = following.length > 0 || kept?.stage !== undefined;
  if (!isNeeded && known !== undefined && known.boundary < boundary) {
    const last = positionOf(boundary, 0);
    await keepMark(session, names, { boundary, base, stamp: 0, total: known.total, last });
    await session.change(`DELETE FROM ${names.logMark} WHERE n < ${boundary}`);
  }
  await session.change("COMMIT");
}

/** The source was captured in another way before: what its targets haven't applied yet is in the outbox, and the log would pass it by. */
async function refuseUndrained(session: MysqlSession, { outbox, target, tick }: TableNames): Promise<void> {
  const following = await session.rows(`SELECT t.tick < k.n OR (t.tick = k.n AND t.n < k.events)
  FROM ${target} t JOIN (SELECT n, events FROM ${tick} ORDER BY n DESC LIMIT 1) k WHERE t.state = 'following'`);
  if (following.length === 0) return;
  // A locking read: the log holds a transaction a moment before other sessions see it, and this one waits for it.
  const uncut = await session.rows(
    `SELECT 1 FROM ${outbox} FORCE INDEX (by_tick) WHERE tick = 0 LIMIT 1 LOCK IN SHARE MODE`,
  );
  if (uncut.length === 0 && following.every(([lags]) => Number(lags) === 0)) return;
  throw new LockstepError(
    "CONFIG_INVALID",
    'the outbox holds changes that targets have not applied: let them catch up with the capture used so far, then change to "binlog"',
  );
}

/** The log is another one, or an older state of this one. */
export function logWentBack(): LockstepError {
  return new LockstepError(
    "SNAPSHOT_WENT_BACK",
    "the server's log ends before what was read of it: it was reset, restored or replaced",
  );
}
