import type { Cell } from "@lockstep/core";
import type { PostgresTable } from "../tables/postgres-table.js";
import type { Command } from "../wire/pipeline.js";
import { copyText } from "./copy-text.js";
import { expectsNew, habitOf } from "./habit.js";
import { columnArrays, matches, rowSource } from "./row-source.js";
import { sqlState } from "../wire/sql-state.js";
import { runOnRows } from "./run-on-rows.js";
import { insertInto, type RunInStep, type StepStatements, updateFromSource } from "./statements.js";

/**
 * Many rows: those that aren't there go straight into the table by COPY, those that are there are updated from arrays.
 *
 * Measured, 12 columns of 300 bytes, batches of 1000, CPU per row of server + client (PostgreSQL 15, 2 cores, noisy; take
 * ratios):
 *
 * | way | new rows | rows that are there |
 * |---|---|---|
 * | look up, COPY the new, UPDATE the rest FROM unnest (this) | 5.7–7 + 3 µs | 9.3 + 3.1 µs, look-up 1 + 0.7 µs |
 * | COPY into a temporary table, INSERT … ON CONFLICT from there | 11.5 + 4 µs | 14 + 4 µs |
 * | COPY into a temporary table, UPDATE, INSERT the rest | 12 + 3 µs | 9.7 + 2.4 µs, and 3 times the elapsed time for its files |
 * | INSERT … SELECT FROM unnest ON CONFLICT | 12 + 4 µs | 11.7 + 3.3 µs |
 * | UPDATE FROM unnest(one array of rows) | | 11 + 7 µs |
 * | one prepared upsert per row, one round trip | 17 + 10 µs | 20 + 10 µs |
 *
 * Temporary tables lose what they win by their truncation at each commit, and need a right that not every role has.
 *
 * A table's last batches say what to expect of the next one: only new rows or only known ones save the look-up. A wrong guess
 * costs a statement, never a row.
 */
export async function bulkUpsert(
  step: StepStatements,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  const habit = habitOf(table);
  const update = table.once("update rows", (table) => updateFromSource(table));
  let knownAreWritten = update === undefined;
  if (habit.batchesOfKnown > 0 && update !== undefined) {
    const [updated] = await runOnRows(step.run, table.columns, [updateCommand(table, update, rows)]);
    if (updated!.count === rows.length) return;
    habit.batchesOfKnown = 0;
    knownAreWritten = true;
  } else if (expectsNew(habit)) {
    if (await insertsAll(step, table, rows)) return;
    habit.batchesOfNew = 0;
  }
  const there = await rowsThere(step.run, table, rows);
  const fresh = there.size === 0 ? rows : rows.filter((_, i) => !there.has(i));
  const known = there.size === 0 ? [] : rows.filter((_, i) => there.has(i));
  habit.batchesOfNew = known.length === 0 ? habit.batchesOfNew + 1 : 0;
  habit.batchesOfKnown = fresh.length === 0 ? habit.batchesOfKnown + 1 : 0;
  const commands: Command[] = [];
  if (fresh.length > 0) commands.push(insertCommand(table, fresh));
  if (known.length > 0 && !knownAreWritten && update !== undefined)
    commands.push(updateCommand(table, update, known));
  if (commands.length > 0) await runOnRows(step.run, table.columns, commands);
}

/** Inserts the rows, or none of them when one is there already. */
async function insertsAll(
  { run, savepoint }: StepStatements,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<boolean> {
  try {
    await savepoint(() => runOnRows(run, table.columns, [insertCommand(table, rows)]));
    return true;
  } catch (error) {
    // Unique violation: of the primary key, in all likelihood. Another one shows again when the rows are looked up.
    if (sqlState(error) === "23505") return false;
    throw error;
  }
}

/** Places, in `rows`, of those that the table has. */
async function rowsThere(
  run: RunInStep,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<ReadonlySet<number>> {
  const values = columnArrays(
    rows,
    table.key.map((column) => table.columns.indexOf(column)),
  );
  const [answer] = await run([{ text: table.once("rows there", lookUp), values, prepared: true }]);
  return new Set(answer!.rows.map(([n]) => Number(n) - 1));
}

function lookUp(table: PostgresTable): string {
  const source = rowSource(table.key);
  return `select s.n from ${source.numbered} where exists (select from ${table.quoted} t where ${matches(table.key, source.values)})`;
}

function updateCommand(table: PostgresTable, text: string, rows: readonly (readonly Cell[])[]): Command {
  return { text, values: allColumns(table, rows), prepared: true };
}

function insertCommand(table: PostgresTable, rows: readonly (readonly Cell[])[]): Command {
  return table.catalog.copyable
    ? { text: table.once("copy", copyInto), copy: copyText(rows), prepared: true }
    : { text: table.once("insert rows", insertArrays), values: allColumns(table, rows), prepared: true };
}

// COPY writes identity columns as they are given.
function copyInto(table: PostgresTable): string {
  return `copy ${table.quoted} (${table.columns.map(({ quoted }) => quoted).join(", ")}) from stdin`;
}

function insertArrays(table: PostgresTable): string {
  const source = rowSource(table.columns);
  return `${insertInto(table)} select ${source.values.join(", ")} from ${source.from}`;
}

function allColumns(table: PostgresTable, rows: readonly (readonly Cell[])[]): readonly string[] {
  return columnArrays(
    rows,
    table.columns.map((_, at) => at),
  );
}
