import type { Finding } from "@lockstep/core";
import {
  coverageOf,
  coverageOfTransactions,
  nothingWritten,
  refuseLongWindow,
  writtenUncaptured,
} from "../../coverage-finding.js";
import { changesOf, fingerprintOf } from "../packed.js";
import type { Look } from "./server.js";
import { watchLogByCounters } from "./watch-log.js";
import { armCounters, disarmCounters, missedInOutbox } from "./write-counters.js";
import { type CountedTable, countedTables } from "./written-tables.js";

/** How to watch. */
export interface Watch {
  readonly windowMs: number;
  readonly exact: boolean;
  readonly settleMs: number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/**
 * Watches the source for a while and names the tables whose writes went past capture.
 * @throws LockstepError CONFIG_INVALID when the window is too long.
 */
export async function watchWrites(look: Look, watch: Watch): Promise<readonly Finding[]> {
  const { windowMs, exact, settleMs, sleep } = watch;
  refuseLongWindow(windowMs);
  if (!exact) return watchByStatistics(look, () => sleep(windowMs + settleMs));
  const findings =
    look.capture === "wal"
      ? await watchLogByCounters(look, () => sleep(windowMs), windowMs)
      : await watchByCounters(look, watch);
  return findings.length > 0 ? findings : [nothingWritten];
}

async function watchByStatistics(look: Look, window: () => Promise<unknown>): Promise<readonly Finding[]> {
  const before = new Map((await countedTables(look)).map(({ table, changes }) => [table, changes]));
  const captured = look.capture === "wal" ? undefined : await capturedFromNowOn(look);
  await window();
  const after = await countedTables(look);
  const events = await captured?.();
  const findings = after.flatMap((counted): Finding[] => {
    const changes = counted.changes - (before.get(counted.table) ?? 0);
    return changes > 0 ? [statisticOf(counted, changes, events)] : [];
  });
  return findings.length > 0 ? findings : [nothingWritten];
}

/** `events`: those captured, by table; `undefined` where the log is read, which has all of what is published. */
function statisticOf(
  { table, isKnown, isPublished, isUnlogged }: CountedTable,
  changes: number,
  events: ReadonlyMap<string, number> | undefined,
): Finding {
  const counted = `${changes} row change(s) were counted`;
  if (!isKnown) return writtenUncaptured(table, counted);
  if (events !== undefined) return coverageOf(table, changes, events.get(table) ?? 0);
  const about = { check: "capture.coverage", subject: table } as const;
  if (isPublished) return { ...about, level: "ok", message: `${counted}, and the log that is read has them` };
  return {
    ...about,
    level: "error",
    message: `${counted}, and the log that is read leaves them out: the table is ${isUnlogged ? "unlogged" : "not published"}`,
    advice: `${isUnlogged ? "ALTER TABLE … SET LOGGED, then " : ""}lockstep capture install; then verify the targets.`,
  };
}

async function watchByCounters(look: Look, { windowMs, sleep }: Watch): Promise<readonly Finding[]> {
  try {
    await armCounters(look, windowMs);
    await sleep(windowMs);
    return (await missedInOutbox(look)).map((count) => coverageOfTransactions(count));
  } finally {
    await disarmCounters(look);
  }
}

/** How late a session tells what it wrote, ms. */
const lateMs = 10_500;

/**
 * Begins to count events by table; what it gives says how many there are. Of transactions that were open, too: what they wrote before is counted by the server when they
 * end. A table that has none has those that were captured just before: what the server counts from now on may be these, as it is told late.
 */
async function capturedFromNowOn(look: Look): Promise<() => Promise<ReadonlyMap<string, number>>> {
  const { rows } = await look.connections.use((client) =>
    client.query<{ oldest: string }>("select pg_snapshot_xmin(pg_current_snapshot())::text as oldest"),
  );
  const before = await eventsWith(look, `o.at >= clock_timestamp() - interval '${lateMs} ms'`);
  return async () => new Map([...before, ...(await eventsWith(look, `o.xid >= '${rows[0]!.oldest}'`))]);
}

async function eventsWith(
  { connections, s, outbox }: Look,
  condition: string,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await connections.use((client) =>
    client.query<{ table: string; events: string }>(
      `select k.table, sum(${changesOf("o")}) as events from ${outbox} o
         join (select distinct fingerprint, format('%I.%I', definition->>'namespace', definition->>'name') as table
                 from ${s}.table_schema) k on k.fingerprint = ${fingerprintOf("o")}
        where ${condition} group by k.table`,
    ),
  );
  return new Map(rows.map((row) => [row.table, Number(row.events)]));
}
