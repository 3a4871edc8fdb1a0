import { createHash } from "node:crypto";
import {
  type CaptureFinding,
  type CapturePlan,
  type OutboxTriggers,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import { registerSchemas } from "../outbox-writer.js";
import { quoteName, quoteTable, quoteText } from "../quote.js";
import { tableNames } from "../ddl.js";
import { shapeReader, type TableShape } from "../table-shape.js";
import { type FiringEvent, triggerBody } from "./trigger-body.js";

type Table = RowNote["table"];

const events: readonly FiringEvent[] = ["insert", "update", "delete"];

// The server keeps it with the trigger, whatever the writers' sessions have: a value that doesn't fit is an error there too.
const sqlMode = "STRICT_ALL_TABLES";

/** Triggers on MySQL 8 or MariaDB 10.6 or newer, writing to the outbox whose tables begin with `prefix`. */
export function mysqlTriggers({ prefix = "lockstep_" }: { readonly prefix?: string } = {}): OutboxTriggers {
  const names = tableNames(prefix);
  const shapes = shapeReader();
  return {
    async plan(run, tables) {
      const outbox = `${quoteName(await databaseOf(run))}.${names.outbox}`;
      const found = await triggersOf(run, prefix);
      const findings: CaptureFinding[] = [];
      const statements: string[] = [];
      for (const table of tables) {
        const shape = await shapes(run, table);
        if (shape && shape.schema.key.length > 0) await registerSchemas(run, names, [shape.schema]);
        const own = found.filter((trigger) => tableId(trigger.table) === tableId(table));
        const plan = planTable(
          table,
          shape,
          own.map(({ name }) => name),
          { prefix, outbox },
        );
        findings.push(...plan.findings);
        statements.push(...plan.statements);
      }
      return { findings, statements: statements.length === 0 ? [] : withMode(statements) };
    },
    removal: async (run) => (await triggersOf(run, prefix)).map(dropTrigger),
  };
}

/** What one table lacks. Pure. */
function planTable(
  table: Table,
  shape: TableShape | undefined,
  found: readonly string[],
  { prefix, outbox }: { prefix: string; outbox: string },
): CapturePlan {
  const id = tableId(table);
  if (shape === undefined || shape.schema.key.length === 0) {
    const why = shape ? "it has no primary key: give it one, or leave it out" : "the table doesn't exist";
    return { findings: [{ table: id, problem: "refused", message: `${id}: ${why}` }], statements: [] };
  }
  const wanted = events.map((event) => {
    const body = triggerBody(outbox, shape, event);
    return { event, body, name: triggerName(prefix, table, event, body) };
  });
  const missing = wanted.filter(({ name }) => !found.includes(name));
  const extra = found.filter((name) => !wanted.some((trigger) => trigger.name === name));
  if (missing.length === 0 && extra.length === 0) return { findings: [], statements: [] };
  return {
    findings: [findingOf(id, { missing: missing.length, extra: extra.length, found: found.length })],
    // The new ones first: a row that both write is written twice, which is harmless; one that none writes is lost.
    statements: [
      ...missing.map(
        ({ event, name, body }) =>
          `CREATE TRIGGER ${quoteTable({ ...table, name })} AFTER ${event.toUpperCase()} ON ${quoteTable(table)} FOR EACH ROW ${body}`,
      ),
      ...extra.map((name) => dropTrigger({ table, name })),
    ],
  };
}

function findingOf(
  table: string,
  { missing, extra, found }: { missing: number; extra: number; found: number },
): CaptureFinding {
  if (missing === 0)
    return { table, problem: "extra", message: `${table} has triggers that are no longer needed` };
  // One for each of INSERT, UPDATE and DELETE is there, made for the table as it was.
  if (extra >= missing) {
    return {
      table,
      problem: "drifted",
      message: `${table} is not as it was when its triggers were made: values of columns that were added since are not captured`,
    };
  }
  const what =
    found === 0 ? "no capture triggers: its writes are not captured" : "not all of its capture triggers";
  return { table, problem: "missing", message: `${table} has ${what}` };
}

/** Its name says what it does: a trigger for another shape of the table, or of another version of Lockstep, has another one. */
function triggerName(prefix: string, table: Table, event: FiringEvent, body: string): string {
  return `${namePrefix(prefix)}${hashOf(tableId(table))}_${event}_${hashOf(`${sqlMode} ${body}`)}`;
}

function namePrefix(prefix: string): string {
  return prefix.length > 30 ? `lockstep_${hashOf(prefix)}_` : prefix;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

interface FoundTrigger {
  readonly table: Table;
  readonly name: string;
}

async function triggersOf(run: RunStatement, prefix: string): Promise<FoundTrigger[]> {
  const pattern = `^${namePrefix(prefix).replaceAll(/[^A-Za-z0-9_]/g, ".")}[0-9a-f]{12}_(insert|update|delete)_[0-9a-f]{12}$`;
  const rows = await run(
    `SELECT EVENT_OBJECT_SCHEMA AS namespace, EVENT_OBJECT_TABLE AS tab, TRIGGER_NAME AS name FROM information_schema.TRIGGERS
  WHERE TRIGGER_NAME REGEXP ${quoteText(pattern)}`,
  );
  return rows.map((row) => ({
    table: { namespace: String(row["namespace"]), name: String(row["tab"]) },
    name: String(row["name"]),
  }));
}

function dropTrigger({ table, name }: FoundTrigger): string {
  return `DROP TRIGGER IF EXISTS ${quoteTable({ namespace: table.namespace, name })}`;
}

function withMode(statements: readonly string[]): string[] {
  return [
    "SET @lockstep_sql_mode = @@SESSION.sql_mode",
    `SET SESSION sql_mode = '${sqlMode}'`,
    ...statements,
    "SET SESSION sql_mode = @lockstep_sql_mode",
  ];
}

async function databaseOf(run: RunStatement): Promise<string> {
  const [row] = await run("SELECT DATABASE() AS name");
  return String(row?.["name"]);
}
