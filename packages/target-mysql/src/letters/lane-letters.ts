import type { DeadLetter, DeadLetterDetail } from "@lockstep/core";
import type { Session } from "../session/session.js";
import type { LaneId } from "../lane/checkpoint-row.js";
import { detailColumns, detailOf, letterColumns, letterOf, rowHash } from "./letter-row.js";

const hashesPerQuery = 1000;
const oldestFirst = "ORDER BY tick, n, ordinal";

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
  const rows = await session.rows(
    `SELECT ${detailColumns} FROM lockstep_dead_letter WHERE source = ? AND part = ? AND state = 'due' ${oldestFirst} LIMIT ? FOR UPDATE`,
    [lane.source, lane.partition, limit],
  );
  return rows.map(detailOf);
}

/** Letters that wait for another one, oldest position first. */
export async function waitingLetters(
  session: Session,
  id: string,
  limit: number,
): Promise<readonly DeadLetterDetail[]> {
  const rows = await session.rows(
    `SELECT ${detailColumns} FROM lockstep_dead_letter WHERE waiting_for = ? AND state = 'waiting' ${oldestFirst} LIMIT ? FOR UPDATE`,
    [id, limit],
  );
  return rows.map(detailOf);
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
