import { type CaptureFinding, type Logger, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import { binlogFindings, type MysqlSession, quoteText } from "@lockstep/outbox/mysql";

type Table = RowNote["table"];

/** What keeps these tables from being captured by the binlog, foreign keys apart; empty when nothing does. */
export async function binlogProblems(
  run: RunStatement,
  tables: readonly Table[],
): Promise<readonly CaptureFinding[]> {
  const settings = (await binlogFindings(run)).map(({ subject, message, advice }) => ({
    problem: "refused" as const,
    message: `${subject} ${message}: ${advice}`,
  }));
  return [
    ...settings,
    ...(await filtered(run)),
    ...(await withoutTransactions(run, tables)),
    ...(await withoutKey(run, tables)),
    ...(await withHistory(run, tables)),
  ];
}

/** A server that leaves databases out of its log leaves out tables of theirs. */
async function filtered(run: RunStatement): Promise<CaptureFinding[]> {
  const [row = {}] = await run("SHOW MASTER STATUS").catch((error: unknown) =>
    // Newer servers have another word for it; where that one isn't known either, the first one's refusal is what counts.
    run("SHOW BINARY LOG STATUS").catch(() => Promise.reject(error)),
  );
  return ["Binlog_Do_DB", "Binlog_Ignore_DB"].flatMap((name) =>
    String(row[name] ?? "") === ""
      ? []
      : [
          {
            problem: "refused" as const,
            message: `${name} is set: the log must not leave databases out, start the server without it`,
          },
        ],
  );
}

async function withoutTransactions(run: RunStatement, tables: readonly Table[]): Promise<CaptureFinding[]> {
  if (tables.length === 0) return [];
  const wanted = new Set(tables.map(tableId));
  const rows = await run(`SELECT t.TABLE_SCHEMA AS namespace, t.TABLE_NAME AS name, t.ENGINE AS engine
  FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
  WHERE t.TABLE_SCHEMA IN (${namespaces(tables)}) AND e.TRANSACTIONS <> 'YES'`);
  return rows.flatMap((row) => {
    const table = tableId({ namespace: String(row["namespace"]), name: String(row["name"]) });
    const message = `${table} is a table of ${String(row["engine"])}, whose changes a roll-back doesn't undo: ALTER TABLE … ENGINE = InnoDB`;
    return wanted.has(table) ? [{ table, problem: "refused" as const, message }] : [];
  });
}

async function withoutKey(run: RunStatement, tables: readonly Table[]): Promise<CaptureFinding[]> {
  if (tables.length === 0) return [];
  const wanted = new Set(tables.map(tableId));
  const rows =
    await run(`SELECT t.TABLE_SCHEMA AS namespace, t.TABLE_NAME AS name FROM information_schema.TABLES t
  LEFT JOIN information_schema.TABLE_CONSTRAINTS k ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'
  WHERE t.TABLE_SCHEMA IN (${namespaces(tables)}) AND t.TABLE_TYPE = 'BASE TABLE' AND k.CONSTRAINT_NAME IS NULL`);
  return rows.flatMap((row) => {
    const table = tableId({ namespace: String(row["namespace"]), name: String(row["name"]) });
    const message = `${table}: it has no primary key: give it one, or leave it out`;
    return wanted.has(table) ? [{ table, problem: "refused" as const, message }] : [];
  });
}

/** Its history is rows of the same table in the log, under keys that the table doesn't have. */
async function withHistory(run: RunStatement, tables: readonly Table[]): Promise<CaptureFinding[]> {
  if (tables.length === 0) return [];
  const wanted = new Set(tables.map(tableId));
  const rows = await run(`SELECT TABLE_SCHEMA AS namespace, TABLE_NAME AS name FROM information_schema.TABLES
  WHERE TABLE_SCHEMA IN (${namespaces(tables)}) AND TABLE_TYPE = 'SYSTEM VERSIONED'`);
  return rows.flatMap((row) => {
    const table = tableId({ namespace: String(row["namespace"]), name: String(row["name"]) });
    const message = `${table} is system-versioned, and the log has its history as rows of it: capture by trigger, or leave it out`;
    return wanted.has(table) ? [{ table, problem: "refused" as const, message }] : [];
  });
}

function namespaces(tables: readonly Table[]): string {
  return [...new Set(tables.map(({ namespace }) => quoteText(namespace)))].join(", ");
}

/** With other settings a crash of the machine can take back what was published, and give its place to other changes (PROTOCOL.md 6). */
export async function warnOfLostCommits(
  session: MysqlSession,
  source: string,
  logger: Logger,
): Promise<void> {
  const [row] = await session.rows("SELECT @@sync_binlog, @@innodb_flush_log_at_trx_commit");
  const [syncBinlog, flushLog] = row!.map(Number);
  if (syncBinlog === 1 && flushLog === 1) return;
  logger.warn(
    { source, syncBinlog, flushLog },
    "commits of the source may be lost in a crash: set sync_binlog and innodb_flush_log_at_trx_commit to 1",
  );
}
