import type { LetterState } from "@lockstep/core";
import type { Session } from "../session/session.js";
import type { LaneId } from "../lane/checkpoint-row.js";

/** Letters by state, of the whole target or of one lane (then live ones only). */
export async function letterCounts(
  session: Session,
  lane?: LaneId,
): Promise<Readonly<Record<LetterState, number>>> {
  const rows = await session.rows(
    `SELECT state, COUNT(*) AS size FROM lockstep_dead_letter ${lane === undefined ? "" : "WHERE source = ? AND part = ? AND live_hash IS NOT NULL"} GROUP BY state`,
    lane === undefined ? [] : [lane.source, lane.partition],
  );
  const counts: Record<LetterState, number> = {
    retrying: 0,
    due: 0,
    waiting: 0,
    dead: 0,
    applied: 0,
    superseded: 0,
    discarded: 0,
  };
  for (const row of rows) counts[row["state"] as LetterState] = Number(row["size"]);
  return counts;
}
