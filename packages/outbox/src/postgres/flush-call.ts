import type { RowNote, TransactionNote } from "@lockstep/core";
import { audienceText } from "../event-row.js";
import { foldNotes, type NotedRow, type NotedTable, partsOf, rowsPerPart } from "../fold-notes.js";
import { quoteName } from "./quote.js";

/** What the names of the functions made for a table end in, by quoted table name. */
export type TableFunctions = ReadonlyMap<string, string>;

/** A call of a flush function. */
type FlushCall = [sql: string, parameters: (string | null)[]];

/** The calls that write what `notes` say, in this order: large transactions in parts, so that the server holds the images of one part at a time. Pure. */
export function flushCalls(
  s: string,
  tableFunctions: TableFunctions,
  notes: readonly RowNote[],
  transaction: TransactionNote,
): FlushCall[] {
  return partsOf(foldNotes(notes), rowsPerPart).map((part) =>
    flushCall(s, tableFunctions, part, transaction),
  );
}

/** One of its own for a single row, the most frequent case, and one of the table itself where `tableFunctions` has them, for one row or many. */
function flushCall(
  s: string,
  tableFunctions: TableFunctions,
  tables: readonly NotedTable[],
  transaction: TransactionNote,
): FlushCall {
  const context = [transaction.traceparent ?? null, transaction.origin ?? null];
  const [table] = tables;
  const audience = audienceText(transaction.audience);
  if (audience === null && tables.length === 1 && table!.rows.every(({ before }) => before === undefined)) {
    const name = nameOf(table!);
    const own = tableFunctions.get(name);
    const [row, second] = table!.rows;
    if (second === undefined) {
      const parameters = [row!.born ? "i" : "u", JSON.stringify(row!.key), ...context];
      return own === undefined
        ? [`select ${s}.flush_row($5, $1, $2::jsonb, $3, $4) as written`, [...parameters, name]]
        : [`select ${s}.row_${own}($1, $2::jsonb, $3, $4) as written`, parameters];
    }
    if (own !== undefined) {
      const rows = JSON.stringify(table!.rows.map(parameterOf));
      return [`select ${s}.rows_${own}($1::jsonb, $2, $3) as written`, [rows, ...context]];
    }
  }
  const given = tables.map((noted) => {
    const parameter = { t: nameOf(noted), r: noted.rows.map(parameterOf) };
    return noted.rows.some(({ before }) => before !== undefined) ? { ...parameter, b: true } : parameter;
  });
  const parameters = [JSON.stringify(given), ...context];
  return audience === null
    ? [`select ${s}.flush($1::jsonb, $2, $3) as written`, parameters]
    : [`select ${s}.flush_for($1::jsonb, $2, $3, $4) as written`, [...parameters, audience]];
}

/** The name by which the database's functions know a table. */
export function nameOf(table: RowNote["table"]): string {
  return `${quoteName(table.namespace)}.${quoteName(table.name)}`;
}

function parameterOf({ order, born, key, before }: NotedRow): unknown[] {
  const row = [order, born ? "i" : "u", key];
  return before === undefined ? row : [...row, before];
}
