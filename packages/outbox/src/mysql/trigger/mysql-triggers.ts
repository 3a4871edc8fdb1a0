import {
  type ActiveForeignKey,
  type CaptureFinding,
  foreignKeyGraph,
  type OutboxTriggers,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import { tableNames, type TableNames } from "../ddl.js";
import { registerSchemas } from "../outbox-writer.js";
import { quoteName, quoteText } from "../quote.js";
import { shapeReader, type ShapeReader } from "../table-shape.js";
import { cascadeTable } from "./cascade-body.js";
import { followTables } from "./follow-tables.js";
import { type MysqlOutboxOptions, outboxPlace } from "../outbox-place.js";
import {
  dropTrigger,
  isOfAnother,
  renamed,
  type FoundTrigger,
  planTable,
  removalOf,
  restoreSession,
  triggersOf,
  withMode,
} from "./plan-table.js";
import type { TriggerRules } from "./wanted-triggers.js";

type Table = RowNote["table"];

/** What {@link mysqlTriggers} makes. */
export interface MysqlTriggerOptions extends MysqlOutboxOptions {
  /**
   * Gives the foreign keys that change rows of these tables by themselves: triggers of their parents then write those changes too. Default: none
   * are followed, and such changes are not captured.
   */
  readonly foreignKeys?: (
    run: RunStatement,
    tables: readonly Table[],
  ) => Promise<readonly ActiveForeignKey[]>;
  /** Whether the tables' own changes are captured; `false` where only what foreign keys do is to be. Default true. */
  readonly own?: boolean;
}

/** Triggers on MySQL 8 or MariaDB 10.6 or newer, writing to the outbox. */
export function mysqlTriggers(options: MysqlTriggerOptions = {}): OutboxTriggers {
  const { foreignKeys = async () => [], own = true } = options;
  const names = tableNames(options);
  const { prefix } = outboxPlace(options);
  const shapes = shapeReader();
  return {
    async plan(run, tables) {
      const graph = foreignKeyGraph(await foreignKeys(run, tables), tables);
      const { followed, findings } = await followTables(run, shapes, graph, tables);
      const quoted = await quotedNames(run, names);
      const rules = { ...quoted, graph, followed };
      const found = await triggersOf(run, prefix, quoted);
      const plans = [];
      const all = concerned(tables, graph.parents, found, own);
      for (const { table, isOwn } of all) {
        const shape = await shapes(run, table);
        const there = found.filter((trigger) => tableId(trigger.table) === tableId(table));
        plans.push(
          planTable(
            table,
            shape,
            there.map(({ name }) => name),
            { prefix, rules, isOwn },
          ),
        );
      }
      await registerTables(run, names, shapes, tables);
      const noting = followed.size > 0 ? await planCascadeTable(run, names) : undefined;
      const statements = [
        ...(noting?.statements ?? []),
        ...withMode(plans.flatMap((plan) => plan.statements)),
      ];
      return {
        findings: [
          ...findings,
          ...(noting?.findings ?? []),
          ...plans.flatMap((plan) => plan.findings),
          ...renamedTables(prefix, found, all),
        ],
        statements,
        ...(statements.includes(restoreSession) && { restore: restoreSession }),
      };
    },
    removal: async (run) =>
      removalOf([
        ...(await triggersOf(run, prefix, await quotedNames(run, names))).map(dropTrigger),
        `DROP TABLE IF EXISTS ${names.cascade}`,
      ]),
  };
}

const maxForgotten = 1_000;

interface Concerned {
  readonly table: Table;
  /** Its own changes are captured by triggers. */
  readonly isOwn: boolean;
}

/** The tables that have triggers, or are to have some. Pure. */
function concerned(
  captured: readonly Table[],
  parents: readonly Table[],
  found: readonly FoundTrigger[],
  own: boolean,
): Concerned[] {
  const ids = new Set(captured.map(tableId));
  const left = found.map(({ table }) => table).filter((table) => ids.has(tableId(table)));
  const all = [...(own ? captured : left), ...parents];
  return [...new Map(all.map((table) => [tableId(table), table])).values()].map((table) => ({
    table,
    isOwn: own && ids.has(tableId(table)),
  }));
}

/** Tables that nobody asked about, as nobody knows their new names yet. Pure. */
function renamedTables(
  prefix: string,
  found: readonly FoundTrigger[],
  concerned: readonly Concerned[],
): CaptureFinding[] {
  const known = new Set(concerned.map(({ table }) => tableId(table)));
  const others = found.filter(
    (trigger) => !known.has(tableId(trigger.table)) && isOfAnother(prefix, trigger),
  );
  const tables = new Map(others.map(({ table }) => [tableId(table), table]));
  return [...tables.values()].map((table) => renamed(table, "drifted"));
}

async function registerTables(
  run: RunStatement,
  names: TableNames,
  shapes: ShapeReader,
  tables: readonly Table[],
): Promise<void> {
  for (const table of tables) {
    const shape = await shapes(run, table);
    if (shape && shape.schema.key.length > 0) await registerSchemas(run, names, [shape.schema]);
  }
}

/** The table of notes, where it isn't there. Where it is, what DELETE IGNORE left in it is forgotten. */
async function planCascadeTable(run: RunStatement, names: TableNames) {
  const name = names.cascade.slice(1, -1).replaceAll("``", "`");
  const [there] = await run(
    `SELECT 1 AS one FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(name)}`,
  );
  const finding: CaptureFinding = {
    problem: "missing",
    message: "the table in which triggers note what foreign keys change is missing",
  };
  if (!there) return { findings: [finding], statements: [cascadeTable(names.cascade)] };
  // Notes live as long as a statement: what is committed here is never read again.
  const left = await run(
    `SELECT token AS token, state AS state, HEX(row_hash) AS hash FROM ${names.cascade} LIMIT ${maxForgotten}`,
  );
  for (const { token, state, hash } of left) {
    await run(`DELETE FROM ${names.cascade} WHERE token = ? AND state = ? AND row_hash = UNHEX(?)`, [
      token,
      state,
      hash,
    ]);
  }
  return undefined;
}

/** Triggers run in their table's database: Lockstep's tables are named with theirs. */
async function quotedNames(
  run: RunStatement,
  { outbox, cascade }: TableNames,
): Promise<Pick<TriggerRules, "outbox" | "cascade">> {
  const [row] = await run("SELECT DATABASE() AS name");
  const database = quoteName(String(row?.["name"]));
  return { outbox: `${database}.${outbox}`, cascade: `${database}.${cascade}` };
}
