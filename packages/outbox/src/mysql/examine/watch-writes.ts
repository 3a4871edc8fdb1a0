import type { Finding, TableSchema } from "@lockstep/core";
import { coverageOf, nothingWritten, refuseLongWindow, writtenUncaptured } from "../../coverage-finding.js";
import type { MysqlSession } from "../connections.js";
import { notOwnTable, type OutboxPlace } from "../outbox-place.js";
import { capturedTables } from "./tables.js";
import type { Look } from "./server.js";

/**
 * Watches the source for a while and names the tables whose writes went past capture, by what the server counts.
 * @throws LockstepError CONFIG_INVALID when the window is too long.
 */
export async function watchWrites(look: Look, windowMs: number): Promise<readonly Finding[]> {
  refuseLongWindow(windowMs);
  const changesOf = () => look.connections.use((session) => countedChanges(session, look.place));
  const before = await changesOf();
  if (before === undefined) return [notCounted];
  const since = await serverTime(look);
  await new Promise((resolve) => void setTimeout(resolve, windowMs));
  const after = (await changesOf()) ?? new Map<string, number>();
  const events = await eventsSince(look, since);
  const captured = await capturedTables(look);
  const findings = [...after].flatMap(([table, total]) => {
    const changes = total - (before.get(table) ?? 0);
    if (changes <= 0) return [];
    return captured.has(table)
      ? [coverageOf(table, changes, events.get(table) ?? 0)]
      : [writtenUncaptured(table, `${changes} row change(s) were counted`)];
  });
  return findings.length > 0 ? findings : [nothingWritten];
}

/** The server has no counters. */
export const notCounted: Finding = {
  check: "capture.coverage",
  level: "warning",
  subject: "source",
  message: "this server doesn't count the changes of tables: coverage is not shown",
  advice:
    "Turn on performance_schema (MySQL, MariaDB) or userstat (MariaDB); or use --exact, which reads the binlog.",
};

/** Row changes per table since the counters began, rolled-back ones too, but not of Lockstep's own tables; `undefined` when nothing counts them. */
export async function countedChanges(
  session: MysqlSession,
  place: OutboxPlace,
): Promise<ReadonlyMap<string, number> | undefined> {
  const settings = await session.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('performance_schema', 'userstat')",
  );
  const on = new Set(settings.filter(([, value]) => value === "ON").map(([name]) => name));
  const others = (column: string): string => notOwnTable(place, column);
  if (on.has("performance_schema")) {
    return counts(
      await session.rows(`SELECT OBJECT_SCHEMA, OBJECT_NAME, COUNT_INSERT + COUNT_UPDATE + COUNT_DELETE
  FROM performance_schema.table_io_waits_summary_by_table WHERE OBJECT_SCHEMA = DATABASE() AND ${others("OBJECT_NAME")}`),
    );
  }
  if (!on.has("userstat")) return undefined;
  return counts(
    await session.rows(`SELECT TABLE_SCHEMA, TABLE_NAME, ROWS_CHANGED FROM information_schema.TABLE_STATISTICS
  WHERE TABLE_SCHEMA = DATABASE() AND ${others("TABLE_NAME")}`),
  );
}

function counts(rows: readonly (string | number | null)[][]): ReadonlyMap<string, number> {
  return new Map(rows.map(([namespace, name, changes]) => [`${namespace}.${name}`, Number(changes)]));
}

async function serverTime({ connections }: Look): Promise<string> {
  const [row] = await connections.use((session) => session.rows("SELECT UTC_TIMESTAMP(6)"));
  return String(row![0]);
}

async function eventsSince(
  { connections, names }: Look,
  since: string,
): Promise<ReadonlyMap<string, number>> {
  return connections.use(async (session) => {
    const [events, schemas] = [
      await session.rows(
        `SELECT fingerprint, COUNT(*) FROM ${names.outbox} WHERE at >= '${since}' GROUP BY fingerprint`,
      ),
      await session.rows(`SELECT fingerprint, definition FROM ${names.tableSchema}`),
    ];
    const tables = new Map(
      schemas.map(([fingerprint, definition]) => {
        const { namespace, name } = JSON.parse(String(definition)) as TableSchema;
        return [fingerprint, `${namespace}.${name}`];
      }),
    );
    const byTable = new Map<string, number>();
    for (const [fingerprint, count] of events) {
      const table = tables.get(fingerprint!) ?? "";
      byTable.set(table, (byTable.get(table) ?? 0) + Number(count));
    }
    return byTable;
  });
}
