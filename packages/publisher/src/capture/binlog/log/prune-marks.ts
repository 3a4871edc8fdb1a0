import type { Backlog, LogEnd, Logger, Position, RegisteredTarget } from "@lockstep/core";
import {
  listTargets,
  mayLead,
  type MysqlSession,
  quoteText,
  readKept,
  type TableNames,
} from "@lockstep/outbox/mysql";
import { beginningOfLog, type Mark, markFor, newestMark, oldestMark } from "./marks.js";

/** Marks stay this long beyond need, ms: a target may turn out to need one. */
const graceMs = 60_000;
const rowsPerDelete = 5_000;

/**
 * Forgets marks that no following target needs, and gives up targets whose place the server has purged. The log itself is the
 * server's: nothing is deleted there. Returns how many events were given up.
 */
export async function pruneMarks(
  session: MysqlSession,
  names: TableNames,
  {
    logger,
    source,
    end,
  }: { readonly logger: Logger; readonly source: string; readonly end: LogEnd | undefined },
): Promise<number> {
  const floor = await beginningOfLog(session);
  // The lock that registration takes (PROTOCOL.md 20).
  await session.batch(`START TRANSACTION; SELECT 1 FROM ${names.state} FOR UPDATE`);
  const kept = await readKept(session, names);
  mayLead(kept, "binlog");
  const before = await oldestMark(session, names);
  const needed: Mark[] = [];
  for (const target of await listTargets(session, names)) {
    if (target.state !== "following") continue;
    const mark = await markFor(session, names, target.position);
    if (mark && mark.boundary >= floor) needed.push(mark);
    else await giveUp(session, names, target, { logger, source });
  }
  const newest = await newestMark(session, names);
  const bound = needed.reduce((a, b) => (b.boundary < a ? b.boundary : a), newest?.boundary ?? 0n);
  await session.change(`DELETE FROM ${names.logMark} WHERE n < ${bound}
  AND (n < ${floor} OR at < UTC_TIMESTAMP(6) - INTERVAL ${graceMs * 1000} MICROSECOND)`);
  const after = await oldestMark(session, names);
  if (after) {
    const [tick] = after.last.split("-");
    await session.change(
      `UPDATE ${names.state} SET pruned_through = ${tick}, pruned_total = ${after.total} WHERE pruned_through <= ${tick}`,
    );
  }
  if (kept?.stage === "turned" && end !== undefined) await keepEnd(session, names, end);
  await session.change("COMMIT");
  await removeRead(session, names);
  return (after?.total ?? 0) - (before?.total ?? 0);
}

/** Says where the log ends, for whoever waits until everybody has got there. */
async function keepEnd(session: MysqlSession, { state }: TableNames, { end, total }: LogEnd): Promise<void> {
  await session.change(`UPDATE ${state} SET capture_end = '${end}', pruned_total = ${total}`);
}

async function giveUp(
  session: MysqlSession,
  names: TableNames,
  { id, name, partition, position }: RegisteredTarget,
  { logger, source }: { readonly logger: Logger; readonly source: string },
): Promise<void> {
  await session.change(`UPDATE ${names.target} SET state = 'needs-backfill'
  WHERE id = ${quoteText(id)} AND \`partition\` = ${partition}`);
  logger.error(
    { source, target: name, partition, position, code: "HISTORY_GONE" },
    "the server purged its binlog before this target had applied it: verify it and seed it again",
  );
}

/**
 * Rows of the outbox that are in the log are read from there: every row that can be seen here is. Only old ones, so that whoever
 * wrote one finds it for a while.
 */
async function removeRead(session: MysqlSession, { outbox, state }: TableNames): Promise<void> {
  // Behind the end of this log the outbox is the next one. In the same statement: what it sees then is from before.
  const rows = await session.rows(`SELECT id FROM ${outbox}
  WHERE (SELECT COALESCE(capture_stage, IF(capture IS NULL OR capture = 'binlog', 'beside', 'over')) FROM ${state}) = 'beside' AND at < UTC_TIMESTAMP(6) - INTERVAL ${graceMs * 1000} MICROSECOND ORDER BY id LIMIT ${rowsPerDelete}`);
  if (rows.length > 0)
    await session.change(`DELETE FROM ${outbox} WHERE id IN (${rows.map(([id]) => id).join(", ")})`);
}

/** What is not yet applied everywhere, by the marks. `total`: events counted so far. */
export async function backlogOf(session: MysqlSession, names: TableNames, total: number): Promise<Backlog> {
  const positions = (await listTargets(session, names))
    .filter(({ state }) => state === "following")
    .map(({ position }) => position);
  const done = await totalAt(session, names, positions);
  if (total <= done) return { events: 0, oldestMs: 0 };
  const [oldest] =
    await session.rows(`SELECT TIMESTAMPDIFF(MICROSECOND, at, UTC_TIMESTAMP(6)) FROM ${names.logMark}
  WHERE total > ${done} ORDER BY n LIMIT 1`);
  return { events: total - done, oldestMs: Math.max(0, Math.round(Number(oldest?.[0] ?? 0) / 1000)) };
}

async function totalAt(
  session: MysqlSession,
  names: TableNames,
  positions: readonly Position[],
): Promise<number> {
  const totals: number[] = [];
  for (const position of positions) {
    const mark = await markFor(session, names, position);
    if (mark) totals.push(mark.total);
  }
  if (totals.length > 0) return Math.min(...totals);
  return (await oldestMark(session, names))?.total ?? 0;
}
