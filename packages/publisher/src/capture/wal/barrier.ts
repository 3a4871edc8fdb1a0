import { positionOf, type Position } from "@lockstep/core";
import { type OutboxNames, readKept, refuseEnded } from "@lockstep/outbox/postgres";
import type pg from "pg";

/**
 * Writes a marker into the log. All that is committed by now has its commit record before the log's end as it is now, and the marker's own
 * commit record, which moves every checkpoint on, comes behind it.
 */
export async function markBarrier(client: pg.ClientBase, { s, outbox }: OutboxNames): Promise<Position> {
  refuseEnded(await readKept(client, s), "wal");
  const { rows } = await client.query<{ end: string }>(
    `insert into ${outbox} (op, fingerprint, key) values ('b', '', '[]')
 returning (pg_current_wal_insert_lsn() - '0/0')::bigint as end`,
  );
  return positionOf(BigInt(rows[0]!.end), 0);
}
