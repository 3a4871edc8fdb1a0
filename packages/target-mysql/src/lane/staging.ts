import { maxPageBytes, type Position } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { textLiteral } from "../sql/literal.js";
import { packets } from "../sql/packets.js";
import type { LaneId } from "./checkpoint-row.js";

const byLane = "WHERE source = ? AND part = ?";

/** Appends lines behind those that are staged. */
export async function stage(
  session: Session,
  lane: LaneId,
  position: Position,
  lines: readonly string[],
): Promise<void> {
  const [last] = await session.rows(`SELECT COALESCE(MAX(n), 0) AS n FROM lockstep_staging ${byLane}`, [
    lane.source,
    lane.partition,
  ]);
  const from = Number(last?.["n"]) + 1;
  const start = `(${textLiteral(lane.source)},${lane.partition}`;
  const rows = lines.map((line, i) => `${start},${from + i},${textLiteral(position)},${textLiteral(line)})`);
  const head = "INSERT INTO lockstep_staging (source, part, n, position, line) VALUES ";
  for (const { sql } of packets(head, rows, ",", "", session.flavour.maxPacketBytes))
    await session.write(sql);
}

/** Staged lines in order, from `after`: as many as fit, by their sizes, which are looked at first. */
export async function staged(
  session: Session,
  lane: LaneId,
  after: number,
  limit: number,
): Promise<readonly { readonly n: number; readonly line: string }[]> {
  const rows = await session.rows(
    `SELECT n, line FROM lockstep_staging ${byLane} AND n > ? AND n <= (
  SELECT MAX(n) FROM (
    SELECT n, SUM(bytes) OVER (ORDER BY n) AS through, bytes FROM (
      SELECT n, LENGTH(line) AS bytes FROM lockstep_staging ${byLane} AND n > ? ORDER BY n LIMIT ?) page) sized
  WHERE through <= ? OR through = bytes) ORDER BY n`,
    [lane.source, lane.partition, after, lane.source, lane.partition, after, limit, maxPageBytes],
  );
  return rows.map((row) => ({ n: Number(row["n"]), line: row["line"]! }));
}

/** Forgets the staged lines of a lane. */
export async function clearStaged(session: Session, lane: LaneId): Promise<void> {
  const sql = `DELETE FROM lockstep_staging ${byLane} LIMIT 10000`;
  while ((await session.write(sql, [lane.source, lane.partition])) === 10_000);
}
