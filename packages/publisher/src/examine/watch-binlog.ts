import { type CaptureKind, type Finding, isLockstepError, tableId, type TableSchema } from "@lockstep/core";
import {
  coverageOf,
  coverageOfTransactions,
  nothingWritten,
  refuseLongWindow,
  writtenUncaptured,
} from "@lockstep/outbox";
import {
  type Connections,
  connectionsTo,
  countedChanges,
  isOwnTable,
  type MysqlOutboxOptions,
  notCounted,
  outboxPlace,
  type OutboxPlace,
  readSchemas,
  tableNames,
} from "@lockstep/outbox/mysql";
import { endOfLog } from "../capture/binlog/log/marks.js";
import { fileName, placeOf } from "../capture/binlog/log/place.js";
import { TransactionCount } from "../capture/binlog/log/transaction-count.js";
import { openDump } from "../capture/binlog/wire/dump.js";
import type { CaptureSource } from "../capture/source-capture.js";

type MysqlSource = Extract<CaptureSource, { readonly engine: "mysql" }>;

/** Offsets that the server can be asked for. */
const maxOffset = 2 ** 32 - 1;
const firstOffset = 4;

/**
 * Watches by the binlog, the one exact record that MySQL and MariaDB keep: with an outbox, which transactions changed a captured table and left no
 * event of it; where the binlog itself is what is captured, which tables the server counted changes of that it didn't log.
 * @throws LockstepError CONFIG_INVALID when the window is too long; SOURCE_UNAVAILABLE.
 */
export async function watchBinlog(
  { connection, outbox }: MysqlSource,
  capture: CaptureKind,
  windowMs: number,
  sleep: (ms: number) => Promise<void> = pause,
): Promise<readonly Finding[]> {
  refuseLongWindow(windowMs);
  const connections = connectionsTo(connection);
  try {
    const wrong = await connections.use(({ rows }) => rows(settings)).then(unfit);
    if (wrong !== undefined) return [notExact(wrong, capture)];
    const seen = await watch(connections, outbox, () => sleep(windowMs));
    const findings = capture === "binlog" ? againstCounters(seen) : againstOutbox(seen);
    const written = findings.length > 0 ? findings : [nothingWritten];
    return capture === "binlog" && seen.counted === undefined ? [...written, notCounted] : written;
  } catch (error) {
    if (
      !isLockstepError(error, "CAPTURE_SOURCE_SETTINGS") &&
      !isLockstepError(error, "CAPTURE_LOG_UNREADABLE")
    )
      throw error;
    return [notExact(error.message.split(" [")[0]!, capture)];
  } finally {
    await connections.close();
  }
}

const settings = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')";

function unfit(rows: readonly (readonly (string | number | null)[])[]): string | undefined {
  const found = new Map(rows.map(([name, value]) => [name, value]));
  if (found.get("log_bin") !== "ON") return "log_bin is OFF";
  const format = found.get("binlog_format");
  return format === "ROW" ? undefined : `binlog_format is ${format}`;
}

function notExact(why: string, capture: CaptureKind): Finding {
  return {
    check: "capture.coverage",
    level: capture === "binlog" ? "error" : "warning",
    subject: "source",
    message: `nothing exact can be said: the binlog is the only exact record of this server, and ${why}`,
    advice:
      "Have the server write its binlog by rows and give the role REPLICATION SLAVE; or look without --exact.",
  };
}

/** What was seen in a window. */
interface Seen {
  readonly captured: ReadonlySet<string>;
  /** Transactions per table, and how many of them left no event of it in the outbox. */
  readonly logged: ReadonlyMap<string, { readonly written: number; readonly missed: number }>;
  /** Changes of rows that sessions logged as statements. */
  readonly statements: number;
  /** Row changes by the server's counters; `undefined`: it has none. */
  readonly counted: ReadonlyMap<string, number> | undefined;
}

async function watch(
  connections: Connections,
  outbox: MysqlOutboxOptions,
  window: () => Promise<void>,
): Promise<Seen> {
  const { database, schemas } = await connections.use(async (session) => ({
    database: String((await session.rows("SELECT DATABASE()"))[0]![0]),
    schemas: await readSchemas(session, tableNames(outbox)),
  }));
  const place = outboxPlace(outbox);
  const counts = () => connections.use((session) => countedChanges(session, place));
  const end = () => connections.use(endOfLog);
  // The log's window holds the counters' one: what is counted must be in it.
  const from = await end();
  const before = await counts();
  await window();
  const after = await counts();
  const through = (await end()).boundary;
  const read = await readLog(connections, { ...from, through, database, place, schemas });
  const counted =
    before &&
    after &&
    new Map([...after].map(([table, n]) => [table, n - (before.get(table) ?? 0)] as const));
  return { ...read, counted, captured: new Set(schemas.map(tableId)) };
}

interface Reading {
  readonly base: string;
  readonly boundary: bigint;
  readonly through: bigint;
  readonly database: string;
  readonly place: OutboxPlace;
  readonly schemas: readonly TableSchema[];
}

async function readLog(
  connections: Connections,
  { base, boundary, through, database, place, schemas }: Reading,
): Promise<Pick<Seen, "logged" | "statements">> {
  const logged = new Map<string, { written: number; missed: number }>();
  const tableOf = new Map(schemas.map((schema) => [schema.fingerprint, tableId(schema)]));
  let statements = 0;
  if (through === boundary) return { logged, statements };
  const { file, offset } = placeOf(boundary);
  const count = new TransactionCount({
    file: fileName(base, file),
    from: boundary,
    within: { table: `${database}.${place.table}`, texts: [...tableOf.keys()] },
    statement: (where) => void (where === database && statements++),
    committed({ tables, texts }) {
      const evented = new Set([...texts].map((text) => tableOf.get(text)));
      for (const table of tables) {
        const here = `${database}.`;
        if (!table.startsWith(here) || isOwnTable(place, table.slice(here.length))) continue;
        const known = logged.get(table) ?? { written: 0, missed: 0 };
        known.written++;
        if (!evented.has(table)) known.missed++;
        logged.set(table, known);
      }
    },
  });
  const dump = await openDump(connections, {
    file: fileName(base, file),
    offset: offset > maxOffset ? firstOffset : offset,
  });
  try {
    while (count.boundary < through) for (const event of await dump.take()) count.push(event);
  } finally {
    dump.close();
  }
  return { logged, statements };
}

function againstOutbox({ captured, logged }: Seen): readonly Finding[] {
  return [...logged].map(([table, { written, missed }]) =>
    captured.has(table)
      ? coverageOfTransactions({ table, written, missed })
      : writtenUncaptured(table, `${written} transaction(s) changed it`),
  );
}

function againstCounters({ captured, logged, statements, counted = new Map() }: Seen): readonly Finding[] {
  const tables = [...new Set([...logged.keys(), ...counted.keys()])].sort();
  const findings = tables.flatMap((table): Finding[] => {
    const changes = counted.get(table) ?? 0;
    const transactions = logged.get(table)?.written ?? 0;
    if (changes <= 0 && transactions === 0) return [];
    if (!captured.has(table))
      return [
        writtenUncaptured(
          table,
          changes > 0 ? `${changes} row change(s) were counted` : `${transactions} transaction(s) changed it`,
        ),
      ];
    if (transactions === 0) return [{ ...coverageOf(table, changes, 0), advice: unlogged }];
    const message = `${transactions} transaction(s) that changed it are in the log`;
    return [{ check: "capture.coverage", level: "ok", subject: table, message }];
  });
  return statements === 0 ? findings : [...findings, statementFormat(statements)];
}

const unlogged =
  "A session writes with sql_log_bin = 0, or to a table that the log leaves out: end that, then verify the targets.";

function statementFormat(statements: number): Finding {
  return {
    check: "capture.coverage",
    level: "error",
    subject: "binlog_format",
    message: `${statements} change(s) of rows were logged as statements, by a session that set it: the relay stops there`,
    advice: "Set binlog_format = ROW in every session; then remove the targets, and seed them again.",
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
