import type { RunStatement } from "@lockstep/core";
import type { NotedRow } from "../fold-notes.js";
import { keyLiteral } from "./cell.js";
import type { TableNames } from "./ddl.js";
import { quoteName, quoteTable } from "./quote.js";
import type { TableShape } from "./table-shape.js";

/** One row to write into the outbox. */
export interface CapturedRow {
  readonly order: number;
  readonly op: "i" | "u" | "d" | "s";
  readonly fingerprint: string;
  readonly key: string;
  readonly image: string | null;
  readonly before: string | null;
}

// Below MariaDB's in_predicate_conversion_threshold (1000), beyond which a list is no longer read by key.
export const keysPerStatement = 500;

/** What the noted rows of one table have become. */
export interface Captured {
  /** Images of those that exist, deletes of those that don't and ever did. */
  readonly rows: readonly CapturedRow[];
  /** Whether the outbox was seen to hold the table's schema. */
  readonly schemaKnown: boolean;
}

/** Asks the database what `noted` rows of one table have become. */
export async function captureRows(
  run: RunStatement,
  names: TableNames,
  shape: TableShape,
  noted: readonly NotedRow[],
): Promise<Captured> {
  const rows: CapturedRow[] = [];
  let schemaKnown = false;
  const read: ReadPage = (page) => readRows(run, names, shape, page);
  for (let i = 0; i < noted.length; i += keysPerStatement) {
    const page = await capturePage(read, shape, noted.slice(i, i + keysPerStatement));
    rows.push(...page.rows);
    schemaKnown ||= page.schemaKnown;
  }
  return { rows, schemaKnown };
}

type ReadPage = (rows: readonly NotedRow[]) => Promise<{ images: Map<string, string>; schemaKnown: boolean }>;

async function capturePage(read: ReadPage, shape: TableShape, page: readonly NotedRow[]): Promise<Captured> {
  const { images, schemaKnown } = await read(page);
  const asked = page.map((row) => JSON.stringify(row.key));
  const noted = new Set(asked);
  // A row under a key nobody noted, which the database takes for one that was: 'A' where a note says 'a' (PROTOCOL.md 32).
  const strangers = [...images.keys()].some((key) => !noted.has(key));
  const rows: CapturedRow[] = [];
  for (const [index, row] of page.entries()) {
    const key = asked[index]!;
    const image = images.get(key);
    const here = image === undefined && strangers ? await readOne(read, row) : image && { key, image };
    const event = here ? imageOf(shape, row, here) : deleteOf(shape, row);
    if (event) rows.push(event);
  }
  return { rows, schemaKnown };
}

interface ReadRow {
  readonly key: string;
  readonly image: string;
}

function imageOf(
  { schema }: TableShape,
  { order, born, key: asked, before = born ? undefined : asked }: NotedRow,
  { key, image }: ReadRow,
): CapturedRow {
  const { fingerprint } = schema;
  const left = before && JSON.stringify(before);
  return {
    order,
    op: born ? "i" : "u",
    fingerprint,
    key,
    image,
    before: left === undefined || left === key ? null : left,
  };
}

function deleteOf({ schema }: TableShape, { order, born, key, before }: NotedRow): CapturedRow | undefined {
  if (born && before === undefined) return undefined;
  const gone = JSON.stringify(before ?? key);
  return { order, op: "d", fingerprint: schema.fingerprint, key: gone, image: null, before: null };
}

async function readOne(read: ReadPage, row: NotedRow): Promise<ReadRow | undefined> {
  const { images } = await read([row]);
  const [first] = images;
  return first && { key: first[0], image: first[1] };
}

/**
 * Images by key text. Locked (PROTOCOL.md 8): rows that were noted but not changed are not locked by the transaction, and under
 * REPEATABLE READ a plain read would give them as they were when it began. By the primary key: other plans lock what they pass.
 */
export async function readRows(
  run: RunStatement,
  names: TableNames,
  shape: TableShape,
  rows: readonly Pick<NotedRow, "key">[],
  condition = "",
): Promise<{ images: Map<string, string>; schemaKnown: boolean }> {
  const known = `EXISTS (SELECT 1 FROM ${names.tableSchema} WHERE fingerprint = '${shape.schema.fingerprint}')`;
  const read = await run(
    `SELECT ${known} AS known, ${shape.cells} FROM ${quoteTable(shape.schema)} t FORCE INDEX (PRIMARY)
  WHERE (${whereKeys(shape, rows)})${condition} LOCK IN SHARE MODE`,
  );
  const images = new Map(read.map((row) => imageOfCells(shape, row)));
  return { images, schemaKnown: Number(read[0]?.["known"] ?? 0) === 1 };
}

/** Key and image of a row that was read by the shape's cells. */
export function imageOfCells(shape: TableShape, row: Record<string, unknown>): [key: string, image: string] {
  const cells = shape.schema.columns.map((_, i) => textOf(row[`c${i}`]));
  return [JSON.stringify(shape.keyIndexes.map((i) => cells[i])), JSON.stringify(cells)];
}

export function whereKeys({ keyColumns }: TableShape, rows: readonly Pick<NotedRow, "key">[]): string {
  const names = keyColumns.map((column) => `t.${quoteName(column.name)}`);
  const literals = rows.map((row) => keyColumns.map((column, i) => keyLiteral(column, row.key[i]!)));
  if (names.length === 1) return `${names[0]} IN (${literals.join(", ")})`;
  // Not a list of tuples: MariaDB reads those by scanning the index, and locks all of it.
  return literals
    .map((key) => `(${key.map((literal, i) => `${names[i]} = ${literal}`).join(" AND ")})`)
    .join(" OR ");
}

/** Bytes of UTF-8, whatever the connection's charset; texts where the application's driver is told to make texts. */
function textOf(value: unknown): string | null {
  if (value == null) return null;
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}
