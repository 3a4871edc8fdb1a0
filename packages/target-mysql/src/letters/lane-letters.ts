import { maxPageBytes, type DeadLetter, type DeadLetterDetail } from "@lockstep/core";
import type { Session } from "../session/session.js";
import type { LaneId } from "../lane/checkpoint-row.js";
import { detailBytes, detailColumns, detailOf, letterColumns, letterOf, rowHash } from "./letter-row.js";

const hashesPerQuery = 1000;
const oldestFirst = "ORDER BY tick, n, ordinal, id";

/** Live letters of these rows. */
export async function findLetters(
  session: Session,
  lane: LaneId,
  keys: readonly { readonly table: string; readonly key: string }[],
): Promise<readonly DeadLetter[]> {
  const hashes = keys.map(({ table, key }) => rowHash(lane.source, table, key));
  const found: DeadLetter[] = [];
  for (let i = 0; i < hashes.length; i += hashesPerQuery) {
    const rows = await session.rows(
      `SELECT ${letterColumns} FROM lockstep_dead_letter WHERE live_hash IN (?) FOR UPDATE`,
      [hashes.slice(i, i + hashesPerQuery)],
    );
    found.push(...rows.map(letterOf));
  }
  return found;
}

/** The lane's letters that are to be written now, oldest position first. */
export async function dueLetters(
  session: Session,
  lane: LaneId,
  limit: number,
): Promise<readonly DeadLetterDetail[]> {
  const rows = await session.rows(pageOfLetters("due", "source = ? AND part = ?"), [
    lane.source,
    lane.partition,
    limit,
    maxPageBytes,
  ]);
  return rows.map(detailOf);
}

/** Letters that wait for another one, oldest position first. */
export async function waitingLetters(
  session: Session,
  id: string,
  limit: number,
): Promise<readonly DeadLetterDetail[]> {
  const rows = await session.rows(pageOfLetters("waiting", "waiting_for = ?"), [id, limit, maxPageBytes]);
  return rows.map(detailOf);
}

/**
 * Letters in a state by the source's order, at most so many, and so many bytes or a larger one: their sizes are looked at before they are read. The
 * join goes from the sized ones to their rows, so that only these are locked.
 */
function pageOfLetters(state: "due" | "waiting", condition: string): string {
  return `SELECT ${detailColumns} FROM (
  SELECT picked FROM (
    SELECT picked, SUM(bytes) OVER (ORDER BY at_tick, at_n, at_ordinal, picked ROWS UNBOUNDED PRECEDING) AS through, bytes FROM (
      SELECT id AS picked, tick AS at_tick, n AS at_n, ordinal AS at_ordinal, ${detailBytes} AS bytes FROM lockstep_dead_letter
       WHERE ${condition} AND state = '${state}' ${oldestFirst} LIMIT ?) page) sized
   WHERE through <= ? OR through = bytes) fitting STRAIGHT_JOIN lockstep_dead_letter ON id = picked WHERE state = '${state}' ${oldestFirst} FOR UPDATE`;
}

/** `retrying` letters of a lane that are due before a time. */
export async function overdueLetters(
  session: Session,
  lane: LaneId,
  before: number,
  limit: number,
): Promise<readonly { readonly id: string; readonly attempts: number; readonly dueAt: number }[]> {
  const rows = await session.rows(
    `SELECT id, attempts, due_at FROM lockstep_dead_letter
     WHERE source = ? AND part = ? AND state = 'retrying' AND due_at <= ? ORDER BY due_at, id LIMIT ?`,
    [lane.source, lane.partition, before, limit],
  );
  return rows.map((row) => ({
    id: row["id"]!,
    attempts: Number(row["attempts"]),
    dueAt: Number(row["due_at"]),
  }));
}

/** Deletes letters of a lane that were over at a time, the oldest first. */
export function pruneLetters(session: Session, lane: LaneId, before: number, limit: number): Promise<number> {
  return session.write(
    `DELETE FROM lockstep_dead_letter
     WHERE source = ? AND part = ? AND resolved_at <= ? AND live_hash IS NULL ORDER BY resolved_at LIMIT ?`,
    [lane.source, lane.partition, before, limit],
  );
}
