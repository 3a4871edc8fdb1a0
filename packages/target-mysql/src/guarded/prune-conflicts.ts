import type { ConflictsKept } from "@lockstep/core";
import type { LaneId } from "../lane/checkpoint-row.js";
import type { Session } from "../session/session.js";

/** Deletes old conflicts of a lane, and old tombstones, the oldest first. */
export async function pruneConflicts(
  session: Session,
  { source, partition }: LaneId,
  { before, most, limit }: ConflictsKept,
): Promise<number> {
  const [oldest] = await session.rows(
    "SELECT id FROM lockstep_conflict WHERE source = ? AND part = ? ORDER BY id DESC LIMIT ?, 1",
    [source, partition, most],
  );
  const conflicts = await session.write(
    "DELETE FROM lockstep_conflict WHERE source = ? AND part = ? AND (at < ? OR id <= ?) ORDER BY id LIMIT ?",
    [source, partition, before, oldest?.["id"] ?? 0, limit],
  );
  const tombstones = await session.write(
    "DELETE FROM lockstep_row_base WHERE deleted_at < ? ORDER BY deleted_at LIMIT ?",
    [before, limit],
  );
  return conflicts + tombstones;
}
