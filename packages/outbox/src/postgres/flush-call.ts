import type { RowNote, TransactionNote } from "@lockstep/core";
import { foldNotes, type NotedRow, type NotedTable } from "../fold-notes.js";
import { quoteName } from "./quote.js";

/** Rows of one table that follow each other in the flush. */
interface Run {
  readonly table: string;
  readonly gone: boolean;
  readonly rows: NotedRow[];
}

// Each run is a statement to be planned; beyond these, reading each table once and sorting is cheaper.
const maxRuns = 8;

/** The call that writes what `notes` say, in the cheapest of its three forms. Pure. */
export function flushCall(
  s: string,
  notes: readonly RowNote[],
  transaction: TransactionNote,
): [sql: string, parameters: (string | null)[]] {
  const context = [transaction.traceparent ?? null, transaction.origin ?? null];
  const tables = foldNotes(notes);
  const runs = runsOf(tables);
  const [only] = runs;
  if (runs.length === 1 && only!.rows.length === 1 && only!.rows[0]!.before === undefined) {
    const [{ born, key }] = only!.rows as [NotedRow];
    const parameters = [only!.table, born ? "i" : "u", JSON.stringify(key), ...context];
    return [`select ${s}.flush_row($1, $2, $3::jsonb, $4, $5) as written`, parameters];
  }
  const keysChange = tables.some((table) => table.rows.some((row) => row.before !== undefined));
  if (!keysChange && runs.length <= maxRuns) {
    const given = runs.map(({ table, rows }) => ({ t: table, r: rows.map(parameterOf) }));
    return [`select ${s}.flush_runs($1::jsonb, $2, $3) as written`, [JSON.stringify(given), ...context]];
  }
  const given = tables.map(mixedParameterOf);
  return [`select ${s}.flush($1::jsonb, $2, $3) as written`, [JSON.stringify(given), ...context]];
}

/**
 * The flush as runs of one table. Rows that are there and rows that are gone are runs of their own, because a run's images are
 * written before its deletes.
 */
function runsOf(tables: readonly NotedTable[]): Run[] {
  const rows = tables.flatMap((noted) => {
    const table = `${quoteName(noted.namespace)}.${quoteName(noted.name)}`;
    return noted.rows.map((row) => ({ table, row }));
  });
  const runs: Run[] = [];
  for (const { table, row } of rows.sort((a, b) => a.row.order - b.row.order)) {
    const last = runs.at(-1);
    if (last && last.table === table && last.gone === row.gone) last.rows.push(row);
    else runs.push({ table, gone: row.gone, rows: [row] });
  }
  return runs;
}

function mixedParameterOf({ namespace, name, rows }: NotedTable): object {
  const given = { t: `${quoteName(namespace)}.${quoteName(name)}`, r: rows.map(parameterOf) };
  return rows.some((row) => row.before !== undefined) ? { ...given, b: true } : given;
}

function parameterOf({ order, born, key, before }: NotedRow): unknown[] {
  const row = [order, born ? "i" : "u", key];
  return before === undefined ? row : [...row, before];
}
