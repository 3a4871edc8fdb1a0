import { LockstepError, type LetterDesk, type LetterFilter, type LetterState } from "@lockstep/core";
import type { Session } from "../session/session.js";
import type { Sessions } from "../session/sessions.js";
import { letterCounts } from "./letter-counts.js";
import { conditionOf } from "./letter-filter.js";
import { detailColumns, detailOf, letterColumns, letterOf } from "./letter-row.js";

/** Letters of the whole target, as the status service sees them. */
export function letterDesk(sessions: Pick<Sessions, "use">): LetterDesk {
  return {
    list: (filter, page) => sessions.use((session) => list(session, filter, page)),
    groups: (filter, limit) => sessions.use((session) => groups(session, filter, limit)),
    get: (id) =>
      sessions.use(async (session) => {
        const [row] = await session.rows(`SELECT ${detailColumns} FROM lockstep_dead_letter WHERE id = ?`, [
          id,
        ]);
        return row === undefined ? undefined : detailOf(row);
      }),
    replay: (filter, by, limit) => sessions.use((session) => replay(session, filter, by, limit)),
    discard: (id, by, reason) => sessions.use((session) => discard(session, id, by, reason)),
    markDue: (id, attempt) => sessions.use((session) => markDue(session, id, attempt)),
    counts: () => sessions.use((session) => letterCounts(session)),
    schemas: () => sessions.use((session) => schemas(session)),
  };
}

// Newest failure first; the cursor is the last letter's place, so that new letters shift no page.
async function list(
  session: Session,
  filter: LetterFilter,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<Awaited<ReturnType<LetterDesk["list"]>>> {
  const after = page.cursor === undefined ? [] : [afterCursor(page.cursor)];
  const { sql, values } = conditionOf(filter, ...after);
  const rows = await session.rows(
    `SELECT ${letterColumns} FROM lockstep_dead_letter WHERE ${sql} ORDER BY last_failed_at DESC, id DESC LIMIT ?`,
    [...values, page.limit + 1],
  );
  const letters = rows.slice(0, page.limit).map(letterOf);
  const last = letters.at(-1);
  if (rows.length <= page.limit || last === undefined) return { letters };
  const next = Buffer.from(JSON.stringify([last.lastFailedAt, last.id])).toString("base64url");
  return { letters, next };
}

function afterCursor(cursor: string): { readonly sql: string; readonly values: [number, number, string] } {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (typeof at !== "number" || typeof id !== "string") throw new TypeError("not a cursor");
    return { sql: "last_failed_at < ? OR (last_failed_at = ? AND id < ?)", values: [at, at, id] };
  } catch (cause) {
    throw new LockstepError("REQUEST_INVALID", "the cursor is not one of a page before", { cause });
  }
}

async function groups(
  session: Session,
  filter: LetterFilter,
  limit: number,
): Promise<Awaited<ReturnType<LetterDesk["groups"]>>> {
  const { sql, values } = conditionOf(filter);
  const rows = await session.rows(
    `SELECT table_id, code, COUNT(*) AS size, MIN(first_failed_at) AS oldest, MAX(last_failed_at) AS newest
     FROM lockstep_dead_letter WHERE ${sql} GROUP BY table_id, code ORDER BY size DESC, table_id, code LIMIT ?`,
    [...values, limit],
  );
  return rows.map((row) => ({
    table: row["table_id"]!,
    code: row["code"]!,
    count: Number(row["size"]),
    oldestAt: Number(row["oldest"]),
    newestAt: Number(row["newest"]),
  }));
}

const live = { sql: "live_hash IS NOT NULL", values: [] };

async function replay(
  session: Session,
  filter: LetterFilter,
  by: string,
  limit: number,
): Promise<readonly string[]> {
  const { sql, values } = conditionOf(filter, live);
  const rows = await session.rows(
    `SELECT id FROM lockstep_dead_letter WHERE ${sql} ORDER BY tick, n, ordinal LIMIT ?`,
    [...values, limit],
  );
  const ids = rows.map((row) => row["id"]!);
  if (ids.length === 0) return ids;
  // One that was resolved in between stays so.
  await session.write(
    `UPDATE lockstep_dead_letter SET state = 'due', attempts = 0, due_at = NULL, waiting_for = NULL, resolved_by = ?
     WHERE id IN (?) AND live_hash IS NOT NULL`,
    [by, ids],
  );
  return ids;
}

async function discard(session: Session, id: string, by: string, reason: string): Promise<void> {
  await session.write("START TRANSACTION");
  const done = await session.write(
    `UPDATE lockstep_dead_letter SET state = 'discarded', resolved_at = ?, resolved_by = ?, reason = ?, due_at = NULL, waiting_for = NULL
     WHERE id = ? AND live_hash IS NOT NULL`,
    [Date.now(), by, reason, id],
  );
  // Letters that waited for this one would wait for ever: they are tried, and say themselves what they lack.
  await session.write(
    "UPDATE lockstep_dead_letter SET state = 'due', waiting_for = NULL WHERE waiting_for = ? AND state = 'waiting'",
    [done === 1 ? id : ""],
  );
  await session.write("COMMIT");
  if (done === 1) return;
  const [row] = await session.rows("SELECT state FROM lockstep_dead_letter WHERE id = ?", [id]);
  if (row === undefined) throw new LockstepError("LETTER_UNKNOWN", `there is no letter ${id}`);
  const state = row["state"] as LetterState;
  throw new LockstepError("LETTER_STATE", `letter ${id} is ${state}`, { details: { id, state } });
}

async function markDue(session: Session, id: string, attempt: number): Promise<boolean> {
  const done = await session.write(
    "UPDATE lockstep_dead_letter SET state = 'due', due_at = NULL WHERE id = ? AND state = 'retrying' AND attempts = ?",
    [id, attempt],
  );
  return done === 1;
}

async function schemas(session: Session): ReturnType<LetterDesk["schemas"]> {
  const rows = await session.rows(
    "SELECT DISTINCT source, table_id, fingerprint FROM lockstep_dead_letter LIMIT 1000",
    [],
  );
  return rows.map((row) => ({
    source: row["source"]!,
    table: row["table_id"]!,
    schema: row["fingerprint"]!,
  }));
}
