import { randomUUID } from "node:crypto";
import { splitPosition, type LetterAttempt, type LetterWrite } from "@lockstep/core";
import type { Session, Values } from "../session/session.js";
import type { LaneId } from "../lane/checkpoint-row.js";
import { historyOf, rowHash } from "./letter-row.js";

const keptAttempts = 20;

/** Makes the row's live letter, or replaces what it says; adds to its history. */
export async function putLetter(
  session: Session,
  lane: LaneId,
  letter: LetterWrite,
  now: number,
): Promise<string> {
  const hash = rowHash(lane.source, letter.table, letter.key);
  const [live] = await session.rows(
    "SELECT id, history FROM lockstep_dead_letter WHERE live_hash = ? FOR UPDATE",
    [hash],
  );
  const attempt: LetterAttempt = {
    at: now,
    code: letter.code,
    ...(letter.about === undefined ? {} : { about: letter.about }),
  };
  const history = JSON.stringify([...historyOf(live?.["history"]), attempt].slice(-keptAttempts));
  const set: Readonly<Record<string, Values[number]>> = { ...columnsOf(lane, letter, now), history };
  if (live !== undefined) {
    await update(session, live["id"]!, set);
    return live["id"]!;
  }
  const id = randomUUID();
  await insert(session, {
    id,
    source: lane.source,
    table_id: letter.table,
    row_key: letter.key,
    row_hash: hash,
    first_failed_at: now,
    ...set,
  });
  return id;
}

/** Ends live letters. */
export async function resolveLetters(
  session: Session,
  ids: readonly string[],
  state: "applied" | "superseded",
  now: number,
): Promise<void> {
  for (let i = 0; i < ids.length; i += 1000) {
    await session.write(
      `UPDATE lockstep_dead_letter SET state = ?, resolved_at = ?, due_at = NULL, waiting_for = NULL
       WHERE id IN (?) AND live_hash IS NOT NULL`,
      [state, now, ids.slice(i, i + 1000)],
    );
  }
}

function columnsOf(lane: LaneId, letter: LetterWrite, now: number): Readonly<Record<string, Values[number]>> {
  const { tick, n } = splitPosition(letter.position);
  return {
    part: lane.partition,
    op: letter.op,
    tick: String(tick),
    n: String(n),
    ordinal: letter.ordinal,
    fingerprint: letter.schema,
    image: letter.image ?? null,
    before_key: letter.before ?? null,
    state: letter.state,
    code: letter.code,
    about: letter.about ?? null,
    raw_error: letter.rawError,
    attempts: letter.attempts,
    max_attempts: letter.maxAttempts,
    last_failed_at: now,
    due_at: letter.dueAt ?? null,
    waiting_for: letter.waitingFor ?? null,
    version: letter.version ?? null,
  };
}

async function update(
  session: Session,
  id: string,
  set: Readonly<Record<string, Values[number]>>,
): Promise<void> {
  const list = Object.keys(set).map((column) => `${column} = ?`);
  const sql = `UPDATE lockstep_dead_letter SET ${list.join(", ")} WHERE id = ?`;
  await session.write(sql, [...Object.values(set), id]);
}

async function insert(session: Session, set: Readonly<Record<string, Values[number]>>): Promise<void> {
  const names = Object.keys(set);
  const sql = `INSERT INTO lockstep_dead_letter (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
  await session.write(sql, Object.values(set));
}
