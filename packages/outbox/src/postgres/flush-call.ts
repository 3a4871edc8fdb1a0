import type { RowNote, TransactionNote } from "@lockstep/core";
import { audienceText } from "../event-row.js";
import { foldNotes, type NotedRow, type NotedTable, partsOf, rowsPerPart } from "../fold-notes.js";
import { quoteName, quoteText } from "./quote.js";

/** The functions made for tables, by quoted table name. */
export type TableFunctions = ReadonlyMap<string, OwnFunctions>;

/** Those of one table. */
export interface OwnFunctions {
  /** What their names end in. */
  readonly name: string;
  /** How many columns the key has that they were made for. */
  readonly keyLength: number;
}

/** A call of a flush function. */
type FlushCall = [sql: string, parameters: (string | null)[]];

/** What the names of the functions end in that leave it to the caller to check constraints first. */
const pinned = "_pinned";

/** {@link flushCalls} as one text, of several statements, with the values as literals. Pure. */
export function flushText(...given: Parameters<typeof flushCalls>): string {
  const [s, tableFunctions, notes, transaction] = given;
  const calls = callsOf(s, tableFunctions, notes, transaction, pinned);
  // A statement here costs less than a function around the others.
  return ["set constraints all immediate", ...calls.map((call) => withLiterals(...call))].join("; ");
}

function withLiterals(sql: string, parameters: readonly unknown[]): string {
  return sql.replace(/\$(\d+)/g, (_, n: string) => {
    const value = parameters[Number(n) - 1];
    return typeof value === "string" ? quoteText(value) : "null";
  });
}

/** The calls that write what `notes` say, in this order: large transactions in parts, so that the server holds the images of one part at a time. Pure. */
export function flushCalls(
  s: string,
  tableFunctions: TableFunctions,
  notes: readonly RowNote[],
  transaction: TransactionNote,
): FlushCall[] {
  return callsOf(s, tableFunctions, notes, transaction, "");
}

function callsOf(
  s: string,
  tableFunctions: TableFunctions,
  notes: readonly RowNote[],
  transaction: TransactionNote,
  ending: string,
): FlushCall[] {
  return partsOf(foldNotes(notes), rowsPerPart).map((part) =>
    flushCall(s, tableFunctions, part, transaction, ending),
  );
}

/** One of its own for a single row, the most frequent case, and one of the table itself where `tableFunctions` has them, for one row or many. */
function flushCall(
  s: string,
  tableFunctions: TableFunctions,
  tables: readonly NotedTable[],
  transaction: TransactionNote,
  ending: string,
): FlushCall {
  const context = [transaction.traceparent ?? null, transaction.origin ?? null];
  const [table] = tables;
  const audience = audienceText(transaction.audience);
  if (audience === null && tables.length === 1 && table!.rows.every(({ before }) => before === undefined)) {
    const name = nameOf(table!);
    const own = tableFunctions.get(name);
    const [row, second] = table!.rows;
    if (second === undefined) {
      const parameters = [opOf(row!), JSON.stringify(row!.key), ...context];
      return own === undefined
        ? [`select ${s}.flush_row${ending}($5, $1, $2::jsonb, $3, $4) as written`, [...parameters, name]]
        : [`select ${s}.row_${own.name}${ending}($1, $2::jsonb, $3, $4) as written`, parameters];
    }
    if (own !== undefined && table!.rows.every(({ key }) => key.length === own.keyLength)) {
      return ownCall(`${s}.rows_${own.name}${ending}`, own, table!.rows, context);
    }
  }
  const given = tables.map((noted) => {
    const parameter = { t: nameOf(noted), r: noted.rows.map(parameterOf) };
    return noted.rows.some(({ before }) => before !== undefined) ? { ...parameter, b: true } : parameter;
  });
  const parameters = [JSON.stringify(given), ...context];
  return audience === null
    ? [`select ${s}.flush${ending}($1::jsonb, $2, $3) as written`, parameters]
    : [`select ${s}.flush_for${ending}($1::jsonb, $2, $3, $4) as written`, [...parameters, audience]];
}

/** Arrays are read in a fraction of the time that JSON takes. */
function ownCall(
  name: string,
  { keyLength }: OwnFunctions,
  given: readonly NotedRow[],
  context: readonly (string | null)[],
): FlushCall {
  const rows = given.toSorted((a, b) => a.order - b.order);
  const ops = rows.map(opOf);
  const keys = Array.from({ length: keyLength }, (_, index) => arrayOf(rows.map(({ key }) => key[index]!)));
  const types = [`$1::"char"[]`, ...keys.map((_, index) => `$${index + 2}::text[]`)];
  const places = [...types, `$${keyLength + 2}`, `$${keyLength + 3}`].join(", ");
  const isUniform = ops.every((op) => op === ops[0]);
  return [
    `select ${name}(${places}) as written`,
    [`{${isUniform ? ops[0]! : ops.join()}}`, ...keys, ...context],
  ];
}

/** Texts as the literal of an array. */
function arrayOf(texts: readonly string[]): string {
  return `{"${texts.map((text) => (/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text)).join('","')}"}`;
}

/** The name by which the database's functions know a table. */
export function nameOf(table: RowNote["table"]): string {
  return `${quoteName(table.namespace)}.${quoteName(table.name)}`;
}

function opOf({ born }: NotedRow): "i" | "u" {
  return born ? "i" : "u";
}

function parameterOf(noted: NotedRow): unknown[] {
  const { order, key, before } = noted;
  const row = [order, opOf(noted), key];
  return before === undefined ? row : [...row, before];
}
