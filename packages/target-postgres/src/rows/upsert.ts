import type { Cell, RowWrite } from "@lockstep/core";
import type { PostgresTable } from "../tables/postgres-table.js";
import { bulkUpsert } from "./bulk-upsert.js";
import { writtenCells } from "./cells.js";
import { insertTexts, textsToInsert } from "./insert-texts.js";
import { partialUpsert } from "./partial-upsert.js";
import { smallUpsert } from "./small-upsert.js";
import type { StepStatements } from "./statements.js";

/**
 * Up to this many rows go in one round trip; more take two, and COPY. See `bulk-upsert.ts` for what was measured.
 */
const smallBatch = 50;
/** UTF-16 units of one statement's rows: what a batch of wide rows may take of memory. */
const chunkLength = 4 * 1024 * 1024;

/** Writes rows set-wise by their primary key. Keys are distinct; key changes are done. */
export async function upsertRows(
  step: StepStatements,
  table: PostgresTable,
  writes: readonly RowWrite[],
): Promise<void> {
  const texts = writes.length > smallBatch ? textsToInsert(table, writes) : undefined;
  if (texts !== undefined && (await insertTexts(step, table, texts))) return;
  const whole: (readonly Cell[])[] = [];
  const partial: (readonly Cell[])[] = [];
  for (const write of writes) {
    const cells = writtenCells(table, write);
    (cells.includes(0) ? partial : whole).push(cells);
  }
  for (const rows of chunks(whole)) await upsertWhole(step, table, rows);
  for (const group of byKnownColumns(partial)) {
    for (const rows of chunks(group)) await partialUpsert(step.run, table, rows);
  }
}

/** The same for rows whose cells are all known and are in the target's texts already. */
async function upsertWhole(
  step: StepStatements,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  if (!table.catalog.conflictable) return partialUpsert(step.run, table, rows);
  return rows.length <= smallBatch ? smallUpsert(step.run, table, rows) : bulkUpsert(step, table, rows);
}

/** Rows that know the same columns, together. */
export function byKnownColumns(rows: readonly (readonly Cell[])[]): Iterable<readonly (readonly Cell[])[]> {
  const groups = new Map<string, (readonly Cell[])[]>();
  for (const cells of rows) {
    const known = cells.map((cell) => (cell === 0 ? "0" : "1")).join("");
    const group = groups.get(known);
    if (group === undefined) groups.set(known, [cells]);
    else group.push(cells);
  }
  return groups.values();
}

export function* chunks(rows: readonly (readonly Cell[])[]): Generator<readonly (readonly Cell[])[]> {
  let start = 0;
  let length = 0;
  for (let i = 0; i < rows.length; i++) {
    for (const cell of rows[i]!) if (typeof cell === "string") length += cell.length;
    if (length < chunkLength) continue;
    yield rows.slice(start, i + 1);
    start = i + 1;
    length = 0;
  }
  if (start < rows.length) yield start === 0 ? rows : rows.slice(start);
}
