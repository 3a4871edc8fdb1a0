import type { RowNote, TransactionNote } from "@lockstep/core";
import { foldNotes, type NotedRow } from "../fold-notes.js";
import { quoteName } from "./quote.js";

/** The call that writes what `notes` say: one of its own for a single row, the most frequent case. Pure. */
export function flushCall(
  s: string,
  notes: readonly RowNote[],
  transaction: TransactionNote,
): [sql: string, parameters: (string | null)[]] {
  const context = [transaction.traceparent ?? null, transaction.origin ?? null];
  const tables = foldNotes(notes);
  const [table] = tables;
  const [row] = table?.rows ?? [];
  if (tables.length === 1 && table!.rows.length === 1 && row!.before === undefined) {
    const parameters = [nameOf(table!), row!.born ? "i" : "u", JSON.stringify(row!.key), ...context];
    return [`select ${s}.flush_row($1, $2, $3::jsonb, $4, $5) as written`, parameters];
  }
  const given = tables.map((noted) => {
    const parameter = { t: nameOf(noted), r: noted.rows.map(parameterOf) };
    return noted.rows.some(({ before }) => before !== undefined) ? { ...parameter, b: true } : parameter;
  });
  return [`select ${s}.flush($1::jsonb, $2, $3) as written`, [JSON.stringify(given), ...context]];
}

function nameOf(table: RowNote["table"]): string {
  return `${quoteName(table.namespace)}.${quoteName(table.name)}`;
}

function parameterOf({ order, born, key, before }: NotedRow): unknown[] {
  const row = [order, born ? "i" : "u", key];
  return before === undefined ? row : [...row, before];
}
