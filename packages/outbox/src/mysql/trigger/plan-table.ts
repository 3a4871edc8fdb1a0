import {
  type CaptureFinding,
  type CapturePlan,
  type CaptureRemoval,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import { quoteTable, quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";
import { hashOf } from "./hash.js";
import { type TriggerRules, type WantedTrigger, wantedTriggers } from "./wanted-triggers.js";

type Table = RowNote["table"];

// The server keeps it with the trigger, whatever the writers' sessions have: a value that doesn't fit is an error there too.
const sqlMode = "STRICT_ALL_TABLES";

/** What one table lacks. Pure. */
export function planTable(
  table: Table,
  shape: TableShape | undefined,
  found: readonly string[],
  { prefix, rules, isOwn }: { prefix: string; rules: TriggerRules; isOwn: boolean },
): CapturePlan {
  const id = tableId(table);
  if (shape === undefined || shape.schema.key.length === 0) {
    const why = shape ? "it has no primary key: give it one, or leave it out" : "the table doesn't exist";
    return { findings: [{ table: id, problem: "refused", message: `${id}: ${why}` }], statements: [] };
  }
  const wanted = wantedTriggers(rules, shape, isOwn).map((trigger) => ({
    ...trigger,
    name: triggerName(prefix, table, trigger),
  }));
  const missing = wanted.filter(({ name }) => !found.includes(name));
  const extra = found.filter((name) => !wanted.some((trigger) => trigger.name === name));
  if (missing.length === 0 && extra.length === 0) return { findings: [], statements: [] };
  const counts = { isOwn, missing: missing.length, extra: extra.length, found: found.length };
  const isRenamed = found.some((name) => isOfAnother(prefix, { table, name }));
  return {
    findings: [isRenamed ? renamed(table, "missing") : findingOf(id, counts)],
    // The new ones first: a row that both write is written twice, which is harmless; one that none writes is lost.
    statements: [
      ...missing.map(
        ({ timing, event, name, body }) =>
          `CREATE TRIGGER ${quoteTable({ ...table, name })} ${timing} ${event.toUpperCase()} ON ${quoteTable(table)} FOR EACH ROW ${body}`,
      ),
      ...afterFirst(extra).map((name) => dropTrigger({ table, name })),
    ],
  };
}

/** Whether a trigger was made for a table of another name: its table was renamed, and takes it along. Pure. */
export function isOfAnother(prefix: string, { table, name }: FoundTrigger): boolean {
  return !name.startsWith(tablePrefix(prefix, table));
}

/** What is wrong with a table of which {@link isOfAnother} is true. Pure. */
export function renamed(table: Table, problem: CaptureFinding["problem"]): CaptureFinding {
  const id = tableId(table);
  const message = `${id} was renamed: its triggers write its changes under the name that it had`;
  return { table: id, problem, message };
}

function findingOf(
  table: string,
  {
    isOwn,
    missing,
    extra,
    found,
  }: {
    readonly isOwn: boolean;
    readonly missing: number;
    readonly extra: number;
    readonly found: number;
  },
): CaptureFinding {
  if (missing === 0)
    return { table, problem: "extra", message: `${table} has triggers that are no longer needed` };
  // One for each that is needed is there, made for the table as it was.
  if (extra >= missing) {
    return {
      table,
      problem: "drifted",
      message: `${table} is not as it was when its triggers were made: values of columns that were added or changed since (in it, or in tables whose rows its foreign keys change) are not captured, or not as they are`,
    };
  }
  if (found > 0 || !isOwn) {
    return { table, problem: "missing", message: `${table} has not all of its capture triggers` };
  }
  const message = `${table} has no capture triggers: its writes are not captured`;
  return { table, problem: "missing", message, isBare: true };
}

/** Its name says what it does: a trigger for another shape of the table, or of another version of Lockstep, has another one. */
function triggerName(prefix: string, table: Table, { timing, event, body }: WantedTrigger): string {
  const when = timing === "BEFORE" ? `b${event}` : event;
  return `${tablePrefix(prefix, table)}${when}_${hashOf(`${sqlMode} ${body}`)}`;
}

function tablePrefix(prefix: string, table: Table): string {
  return `${namePrefix(prefix)}${hashOf(tableId(table))}_`;
}

/** An AFTER trigger refuses where its BEFORE is gone. */
function afterFirst(names: readonly string[]): string[] {
  const rank = (name: string): number => (/_b(update|delete)_[0-9a-f]+$/.test(name) ? 1 : 0);
  return names.toSorted((a, b) => rank(a) - rank(b));
}

function namePrefix(prefix: string): string {
  return prefix.length > 30 ? `lockstep_${hashOf(prefix)}_` : prefix;
}

/** A trigger that is there. */
export interface FoundTrigger {
  readonly table: Table;
  readonly name: string;
}

/** Lockstep's triggers that write to this outbox, of every table that this session sees. Another database of the server may have an outbox of the same name. */
export async function triggersOf(
  run: RunStatement,
  prefix: string,
  { outbox, cascade }: Pick<TriggerRules, "outbox" | "cascade">,
): Promise<FoundTrigger[]> {
  const writes = (table: string): string => `LOCATE(${quoteText(table)}, ACTION_STATEMENT) > 0`;
  const pattern = `^${namePrefix(prefix).replaceAll(/[^A-Za-z0-9_]/g, ".")}[0-9a-f]{12}_(insert|b?update|b?delete)_[0-9a-f]{12}$`;
  const rows = await run(
    `SELECT EVENT_OBJECT_SCHEMA AS namespace, EVENT_OBJECT_TABLE AS tab, TRIGGER_NAME AS name FROM information_schema.TRIGGERS
  WHERE TRIGGER_NAME REGEXP ${quoteText(pattern)} AND (${writes(outbox)} OR ${writes(cascade)})`,
  );
  return rows.map((row) => ({
    table: { namespace: String(row["namespace"]), name: String(row["tab"]) },
    name: String(row["name"]),
  }));
}

/** Takes a trigger out. */
export function dropTrigger({ table, name }: FoundTrigger): string {
  return `DROP TRIGGER IF EXISTS ${quoteTable({ namespace: table.namespace, name })}`;
}

/** How long a table is waited for, s: whoever comes to it meanwhile queues behind who waits. The server's own time is a day, or a year. */
const lockWaitSeconds = 5;

/** Gives the session back as it was before {@link withMode}. */
export const restoreSession =
  "SET SESSION sql_mode = @lockstep_sql_mode, SESSION lock_wait_timeout = @lockstep_lock_wait";

/** Statements, run with the mode that triggers keep; they don't wait long for a table. */
export function withMode(statements: readonly string[]): string[] {
  if (statements.length === 0) return [];
  return [
    "SET @lockstep_sql_mode = @@SESSION.sql_mode, @lockstep_lock_wait = @@SESSION.lock_wait_timeout",
    `SET SESSION sql_mode = '${sqlMode}', SESSION lock_wait_timeout = LEAST(@@SESSION.lock_wait_timeout, ${lockWaitSeconds})`,
    ...statements,
    restoreSession,
  ];
}

/** The same for statements that take triggers out. */
export function removalOf(statements: readonly string[]): CaptureRemoval {
  return { statements: withMode(statements), restore: restoreSession };
}
