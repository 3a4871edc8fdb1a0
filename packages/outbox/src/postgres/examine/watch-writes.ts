import type { Finding } from "@lockstep/core";
import { coverageOf, nothingWritten, refuseLongWindow } from "../../coverage-finding.js";
import type { Look } from "./server.js";
import { armCounters, disarmCounters, missedTransactions } from "./write-counters.js";

/** How to watch. */
export interface Watch {
  readonly windowMs: number;
  readonly exact: boolean;
  readonly settleMs: number;
}

/**
 * Watches the source for a while and names the tables whose writes went past capture.
 * @throws LockstepError CONFIG_INVALID when the window is too long.
 */
export async function watchWrites(
  look: Look,
  { windowMs, exact, settleMs }: Watch,
): Promise<readonly Finding[]> {
  refuseLongWindow(windowMs);
  return exact ? watchByCounters(look, windowMs) : watchByStatistics(look, windowMs, settleMs);
}

async function watchByStatistics(
  look: Look,
  windowMs: number,
  settleMs: number,
): Promise<readonly Finding[]> {
  const before = await changesOf(look);
  const since = await serverTime(look);
  await pause(windowMs + settleMs);
  const [after, events] = [await changesOf(look), await eventsSince(look, since)];
  const findings: Finding[] = [];
  for (const [table, total] of after) {
    const changes = total - (before.get(table) ?? 0);
    if (changes <= 0) continue;
    findings.push(coverageOf(table, changes, events.get(table) ?? 0));
  }
  return findings.length > 0 ? findings : [nothingWritten];
}

async function watchByCounters(look: Look, windowMs: number): Promise<readonly Finding[]> {
  try {
    await armCounters(look, windowMs);
    await pause(windowMs);
    const rows = await missedTransactions(look);
    if (rows.length === 0) return [nothingWritten];
    return rows.map(({ table, written, missed }) =>
      missed === 0
        ? {
            check: "capture.coverage",
            level: "ok",
            subject: table,
            message: `all of ${written} transaction(s) were captured`,
          }
        : {
            check: "capture.coverage",
            level: "error",
            subject: table,
            message: `${missed} of ${written} transaction(s) that changed it went past capture`,
            advice:
              "Somebody writes past capture: capture this source by trigger or wal, then verify the targets.",
          },
    );
  } finally {
    await disarmCounters(look);
  }
}

/** Row changes per table since the statistics began. */
async function changesOf({ connections, schema }: Look): Promise<ReadonlyMap<string, number>> {
  const { rows } = await connections.use((client) =>
    client.query<{ table: string; changes: string }>(
      `select format('%I.%I', schemaname, relname) as table, n_tup_ins + n_tup_upd + n_tup_del as changes
         from pg_stat_user_tables where schemaname <> $1`,
      [schema],
    ),
  );
  return new Map(rows.map((row) => [row.table, Number(row.changes)]));
}

async function serverTime({ connections }: Look): Promise<string> {
  const { rows } = await connections.use((client) =>
    client.query<{ now: string }>("select clock_timestamp()::text as now"),
  );
  return rows[0]!.now;
}

async function eventsSince({ connections, s }: Look, since: string): Promise<ReadonlyMap<string, number>> {
  const { rows } = await connections.use((client) =>
    client.query<{ table: string; events: string }>(
      `select k.table, count(*) as events from ${s}.outbox o
         join (select distinct fingerprint, format('%I.%I', definition->>'namespace', definition->>'name') as table
                 from ${s}.table_schema) k using (fingerprint)
        where o.at >= $1 group by k.table`,
      [since],
    ),
  );
  return new Map(rows.map((row) => [row.table, Number(row.events)]));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
