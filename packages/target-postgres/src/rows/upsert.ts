import type { Cell, RowWrite } from "@lockstep/core";
import type { PostgresTable } from "../tables/postgres-table.js";
import { bulkUpsert } from "./bulk-upsert.js";
import { writtenCells } from "./cells.js";
import { partialUpsert } from "./partial-upsert.js";
import { smallUpsert } from "./small-upsert.js";
import type { RunInStep } from "./statements.js";
import type { TakenOut } from "../unique/move-aside.js";

/**
 * Up to this many rows go in one round trip; more take two, and COPY. See `bulk-upsert.ts` for what was measured.
 */
const smallBatch = 50;
/** UTF-16 units of one statement's rows: an array parameter and a JavaScript string have an end. */
const chunkLength = 16 * 1024 * 1024;

/**
 * Writes rows set-wise by their primary key. Keys are distinct; key changes are done. `takenOut` completes rows that were
 * taken out of the table for a while.
 */
export async function upsertRows(
  run: RunInStep,
  table: PostgresTable,
  writes: readonly RowWrite[],
  takenOut: TakenOut = new Map(),
): Promise<void> {
  const whole: (readonly Cell[])[] = [];
  const partial: (readonly Cell[])[] = [];
  for (const write of writes) {
    const cells = complete(writtenCells(table, write), write, takenOut);
    (cells.includes(0) ? partial : whole).push(cells);
  }
  for (const rows of chunks(whole)) await upsertWhole(run, table, rows);
  for (const group of byKnownColumns(partial)) {
    for (const rows of chunks(group)) await partialUpsert(run, table, rows);
  }
}

function complete(cells: readonly Cell[], { key, before }: RowWrite, takenOut: TakenOut): readonly Cell[] {
  if (takenOut.size === 0 || !cells.includes(0)) return cells;
  const old = takenOut.get(key) ?? (before === undefined ? undefined : takenOut.get(before));
  return old === undefined ? cells : cells.map((cell, i) => (cell === 0 ? (old[i] ?? null) : cell));
}

/** The same for rows whose cells are all known and are in the target's texts already. */
async function upsertWhole(
  run: RunInStep,
  table: PostgresTable,
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  // ON CONFLICT can't use a DEFERRABLE key.
  if (!table.catalog.keyImmediate) return partialUpsert(run, table, rows);
  return rows.length <= smallBatch ? smallUpsert(run, table, rows) : bulkUpsert(run, table, rows);
}

/** Rows that know the same columns, together. */
function byKnownColumns(rows: readonly (readonly Cell[])[]): Iterable<readonly (readonly Cell[])[]> {
  const groups = new Map<string, (readonly Cell[])[]>();
  for (const cells of rows) {
    const known = cells.map((cell) => (cell === 0 ? "0" : "1")).join("");
    const group = groups.get(known);
    if (group === undefined) groups.set(known, [cells]);
    else group.push(cells);
  }
  return groups.values();
}

function* chunks(rows: readonly (readonly Cell[])[]): Generator<readonly (readonly Cell[])[]> {
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
