import type { Cell, RowWrite } from "@lockstep/core";
import { writtenCells } from "../rows/cells.js";
import { columnArrays, rowSource } from "../rows/row-source.js";
import { runOnRows } from "../rows/run-on-rows.js";
import { insertInto, type RunInStep } from "../rows/statements.js";
import { byKnownColumns, chunks } from "../rows/upsert.js";
import type { PostgresTable } from "../tables/postgres-table.js";

/** Inserts rows; what is there by now is a duplicate. Unknown cells get the column's default. */
export async function insertRows(
  run: RunInStep,
  table: PostgresTable,
  writes: readonly RowWrite[],
): Promise<void> {
  const rows = writes.map((write) => writtenCells(table, write));
  for (const group of byKnownColumns(rows)) {
    for (const part of chunks(group)) await insertPart(run, table, part);
  }
}

async function insertPart(
  run: RunInStep,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  const known = table.columns.map((_, at) => at).filter((at) => rows[0]![at] !== 0);
  const columns = known.map((at) => table.columns[at]!);
  const text = table.once(`insert ${known.join(",")}`, (table) => {
    const source = rowSource(columns);
    return `${insertInto(table, columns)} select ${source.values.join(", ")} from ${source.from}`;
  });
  await runOnRows(run, columns, [{ text, values: columnArrays(rows, known), prepared: true }]);
}
