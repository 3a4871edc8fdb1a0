import type { RunStatement } from "@lockstep/core";
import type { NotedRow } from "../fold-notes.js";
import { keyLiteral } from "./cell.js";
import { quoteName, quoteTable } from "./quote.js";
import type { TableShape } from "./table-shape.js";

/** One row to write into the outbox. */
export interface CapturedRow {
  readonly order: number;
  readonly op: "i" | "u" | "d";
  readonly fingerprint: string;
  readonly key: string;
  readonly image: string | null;
  readonly before: string | null;
}

// Below MariaDB's in_predicate_conversion_threshold (1000), beyond which a list is no longer read by key.
const keysPerStatement = 500;

/** What the noted rows of one table have become: images of those that exist, deletes of those that don't and ever did. */
export async function captureRows(
  run: RunStatement,
  shape: TableShape,
  noted: readonly NotedRow[],
): Promise<CapturedRow[]> {
  const captured: CapturedRow[] = [];
  for (let i = 0; i < noted.length; i += keysPerStatement) {
    captured.push(...(await capturePage(run, shape, noted.slice(i, i + keysPerStatement))));
  }
  return captured;
}

async function capturePage(
  run: RunStatement,
  shape: TableShape,
  page: readonly NotedRow[],
): Promise<CapturedRow[]> {
  const found = await readRows(run, shape, page);
  const asked = page.map((row) => JSON.stringify(row.key));
  const known = new Set(asked);
  // A row under a key nobody noted: the note wrote it in another way ('A' where the row has 'a').
  const strangers = [...found.keys()].some((key) => !known.has(key));
  const captured: CapturedRow[] = [];
  for (const [index, row] of page.entries()) {
    const key = asked[index]!;
    const here = found.has(key)
      ? { key, image: found.get(key)! }
      : strangers
        ? await readOne(run, shape, row)
        : undefined;
    const event = here ? imageOf(shape, row, here) : deleteOf(shape, row);
    if (event) captured.push(event);
  }
  return captured;
}

interface ReadRow {
  readonly key: string;
  readonly image: string;
}

function imageOf(
  { schema }: TableShape,
  { order, born, before }: NotedRow,
  { key, image }: ReadRow,
): CapturedRow {
  const { fingerprint } = schema;
  return {
    order,
    op: born ? "i" : "u",
    fingerprint,
    key,
    image,
    before: before ? JSON.stringify(before) : null,
  };
}

function deleteOf({ schema }: TableShape, { order, born, key, before }: NotedRow): CapturedRow | undefined {
  if (born && before === undefined) return undefined;
  const gone = JSON.stringify(before ?? key);
  return { order, op: "d", fingerprint: schema.fingerprint, key: gone, image: null, before: null };
}

async function readOne(run: RunStatement, shape: TableShape, row: NotedRow): Promise<ReadRow | undefined> {
  const [first] = await readRows(run, shape, [row]);
  return first && { key: first[0], image: first[1] };
}

/**
 * Images by key text. Locked (PROTOCOL.md 8): rows that were noted but not changed are not locked by the transaction, and under
 * REPEATABLE READ a plain read would give them as they were when it began. By the primary key: other plans lock what they pass.
 */
async function readRows(
  run: RunStatement,
  shape: TableShape,
  rows: readonly NotedRow[],
): Promise<Map<string, string>> {
  const read = await run(
    `SELECT ${shape.keyCells}, ${shape.cells} FROM ${quoteTable(shape.schema)} t FORCE INDEX (PRIMARY)
  WHERE ${whereKeys(shape, rows)} LOCK IN SHARE MODE`,
  );
  const keys = shape.keyColumns.map((_, i) => `k${i}`);
  const cells = shape.schema.columns.map((_, i) => `c${i}`);
  return new Map(read.map((row) => [jsonOf(row, keys), jsonOf(row, cells)]));
}

function whereKeys({ keyColumns }: TableShape, rows: readonly NotedRow[]): string {
  const names = keyColumns.map((column) => `t.${quoteName(column.name)}`);
  const literals = rows.map((row) => keyColumns.map((column, i) => keyLiteral(column, row.key[i]!)));
  if (names.length === 1) return `${names[0]} IN (${literals.join(", ")})`;
  // Not a list of tuples: MariaDB reads those by scanning the index, and locks all of it.
  return literals
    .map((key) => `(${key.map((literal, i) => `${names[i]} = ${literal}`).join(" AND ")})`)
    .join(" OR ");
}

function jsonOf(row: Record<string, unknown>, aliases: readonly string[]): string {
  return JSON.stringify(aliases.map((alias) => textOf(row[alias])));
}

/** Bytes of UTF-8, whatever the connection's charset; texts where the application's driver is told to make texts. */
function textOf(value: unknown): string | null {
  if (value == null) return null;
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}
