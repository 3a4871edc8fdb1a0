import { positionOf, type Position } from "@lockstep/core";
import { type MysqlSession, readKept, refuseEnded, type TableNames } from "@lockstep/outbox/mysql";
import { endOfLog } from "./marks.js";

/**
 * Writes a marker into the log. All that is committed by now lies before the log's end as it is now, and the marker, which moves every
 * checkpoint on, comes behind it.
 */
export async function markBarrier(session: MysqlSession, names: TableNames): Promise<Position> {
  refuseEnded(await readKept(session, names), "binlog");
  const { boundary } = await endOfLog(session);
  await session.change(
    `INSERT INTO ${names.outbox} (at, op, fingerprint, row_key) VALUES (UTC_TIMESTAMP(6), 'b', '', '[]')`,
  );
  return positionOf(boundary, 0);
}
