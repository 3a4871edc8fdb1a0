import type { Cell } from "@lockstep/core";
import type { PostgresTable } from "../tables/postgres-table.js";
import type { Command } from "../wire/pipeline.js";
import { columnArrays, matches, rowSource } from "./row-source.js";
import { runOnRows } from "./run-on-rows.js";
import { insertInto, type RunInStep, updateFromSource } from "./statements.js";

/**
 * Rows that know the same columns and not all of them: UPDATE, then INSERT what isn't there. (ON CONFLICT would refuse them
 * where a column that isn't known is NOT NULL, although the row is there.)
 */
export async function partialUpsert(
  run: RunInStep,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  const known = table.columns.map((_, at) => at).filter((at) => rows[0]![at] !== 0);
  const statements = table.once(`partial ${known.join(",")}`, (table) => partialStatements(table, known));
  const values = columnArrays(rows, known);
  const columns = known.map((at) => table.columns[at]!);
  await runOnRows(
    run,
    columns,
    statements.map((text): Command => ({ text, values, prepared: true })),
  );
}

function partialStatements(table: PostgresTable, known: readonly number[]): readonly string[] {
  const columns = known.map((at) => table.columns[at]!);
  const source = rowSource(columns);
  const key = table.key.map((column) => source.values[columns.indexOf(column)]!);
  const update = updateFromSource(table, columns);
  const insert =
    `${insertInto(table, columns)} select ${source.values.join(", ")} from ${source.from}` +
    ` where not exists (select from ${table.quoted} t where ${matches(table.key, key)})`;
  return update === undefined ? [insert] : [update, insert];
}
