import { positionOf, type Position } from "@lockstep/core";
import type { MysqlSession, TableNames } from "@lockstep/outbox/mysql";
import { endOfLog } from "./marks.js";

/**
 * Writes a marker into the log. All that is committed by now lies before the log's end as it is now, and the marker, which moves every
 * checkpoint on, comes behind it.
 */
export async function markBarrier(session: MysqlSession, { outbox }: TableNames): Promise<Position> {
  const { boundary } = await endOfLog(session);
  await session.change(
    `INSERT INTO ${outbox} (at, op, fingerprint, row_key) VALUES (UTC_TIMESTAMP(6), 'b', '', '[]')`,
  );
  return positionOf(boundary, 0);
}
