import type { Backlog } from "@lockstep/core";
import { later } from "../lasting.js";
import type { PruneLimits } from "../retention.js";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";

const rowsPerDelete = 5_000;

/**
 * Deletes whole ticks that nobody needs: applied by every following target and older than the grace period, or beyond the
 * retention limit. Returns how many events were given up. What is pruned is said first and the rows go after it, in small
 * transactions: a reader refuses such a tick, and a crash in between leaves rows that the next call removes.
 */
export async function pruneTicks(
  session: MysqlSession,
  names: TableNames,
  retention: PruneLimits,
  maxTicks: number,
): Promise<number> {
  // The lock that registration takes; the bound comes from the registry in the next statement (PROTOCOL.md 20).
  const [, state] = await session.batch(
    `START TRANSACTION; SELECT pruned_through, pruned_total FROM ${names.state} FOR UPDATE`,
  );
  const [prunedThrough, prunedTotal] = state![0]!;
  const [beyond] = await session.rows(beyondLimit(names, String(prunedThrough), retention, maxTicks));
  const [old, crowded] = beyond!.map((n) => BigInt(String(n))) as [bigint, bigint];
  await session.change(markLagging(names, later(retention.lasting(old), crowded)));
  // Where nobody follows, nobody is given up.
  const unfollowed = later(old, crowded);
  const [bound] = await session.rows(
    selectBound(names, String(prunedThrough), unfollowed, retention.graceMs, maxTicks),
  );
  if (bound) {
    await session.change(
      `UPDATE ${names.state} SET pruned_through = ${bound[0]}, pruned_total = ${bound[1]}`,
    );
  }
  await session.change("COMMIT");
  await deleteRows(session, names, String(bound?.[0] ?? prunedThrough));
  return bound ? Number(bound[1]) - Number(prunedTotal) : 0;
}

const older = (column: string, ms: number): string =>
  `${column} < UTC_TIMESTAMP(6) - INTERVAL ${Math.round(ms * 1000)} MICROSECOND`;

/** The last of the next ticks that is beyond the retention limit: too old by the source's clock, or with too many events behind it. 0: none. */
function beyondLimit(names: TableNames, from: string, retention: PruneLimits, maxTicks: number): string {
  const { maxAgeMs, maxEvents } = retention;
  return `SELECT COALESCE(MAX(IF(${older("x.at", maxAgeMs)}, x.n, 0)), 0),
       COALESCE(MAX(IF(x.total + ${maxEvents} < (SELECT total FROM ${names.tick} ORDER BY n DESC LIMIT 1), x.n, 0)), 0)
  FROM (SELECT n, at, total FROM ${names.tick} WHERE n > ${from} ORDER BY n LIMIT ${maxTicks}) x`;
}

function markLagging(names: TableNames, beyond: bigint): string {
  return `UPDATE ${names.target} t JOIN ${names.tick} c ON c.n = t.tick SET t.state = 'needs-backfill'
  WHERE t.state = 'following' AND t.tick + (t.n >= c.events) <= ${beyond}`;
}

function selectBound(
  names: TableNames,
  from: string,
  unfollowed: bigint,
  graceMs: number,
  maxTicks: number,
): string {
  return `SELECT k.n, k.total FROM ${names.tick} k WHERE k.n > ${from} AND k.n = (
  SELECT IF(f.n IS NULL, ${unfollowed}, LEAST(f.n, a.n)) FROM
    (SELECT MIN(IF(t.n >= c.events, t.tick, t.tick - 1)) AS n
       FROM ${names.target} t LEFT JOIN ${names.tick} c ON c.n = t.tick WHERE t.state = 'following') f,
    (SELECT MAX(x.n) AS n FROM (SELECT n, at FROM ${names.tick} WHERE n > ${from} ORDER BY n LIMIT ${maxTicks}) x
      WHERE ${older("x.at", graceMs)}) a)`;
}

async function deleteRows(session: MysqlSession, names: TableNames, through: string): Promise<void> {
  await session.change(`DELETE FROM ${names.tick} WHERE n < ${through}`);
  for (;;) {
    const deleted = await session.change(
      `DELETE FROM ${names.outbox} WHERE tick BETWEEN 1 AND ${through} ORDER BY tick, id LIMIT ${rowsPerDelete}`,
    );
    if (deleted < rowsPerDelete) return;
  }
}

/** What is not yet applied everywhere, from the counters of ticks. Without targets: what is not yet pruned. */
export async function backlogOf(session: MysqlSession, names: TableNames): Promise<Backlog> {
  const [row] = await session.rows(`SELECT
  (SELECT total FROM ${names.tick} ORDER BY n DESC LIMIT 1),
  COALESCE((SELECT CAST(k.total AS SIGNED) - CAST(k.events AS SIGNED) + CAST(LEAST(t.n, k.events) AS SIGNED)
     FROM ${names.target} t JOIN ${names.tick} k ON k.n = t.tick
    WHERE t.state = 'following' ORDER BY t.tick, t.n LIMIT 1), (SELECT pruned_total FROM ${names.state}))`);
  const [total, done] = row!.map(Number) as [number, number];
  if (total <= done) return { events: 0, oldestMs: 0 };
  const [oldest] =
    await session.rows(`SELECT TIMESTAMPDIFF(MICROSECOND, at, UTC_TIMESTAMP(6)) FROM ${names.tick}
  WHERE n > (SELECT pruned_through FROM ${names.state}) AND total > ${done} ORDER BY n LIMIT 1`);
  return { events: total - done, oldestMs: Math.max(0, Math.round(Number(oldest?.[0] ?? 0) / 1000)) };
}
