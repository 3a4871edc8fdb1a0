import type { ColumnKind } from "@lockstep/core";
import { columnsOf, keyOf, readRows, type Rows, type Side, tablesOf } from "./read-table.js";

/** A row that may differ: a live letter explains it. `table` without its namespace. */
export interface Explained {
  readonly table: string;
  /** JSON array of the key's texts. */
  readonly key: string;
}

/** What differs between a source and a target, row by row. */
export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  readonly missing: number;
  readonly extra: number;
  readonly differing: number;
  /** Up to 20 differences: which row, and which columns. */
  readonly examples: readonly string[];
}

/**
 * Compares every table of the source with the target's table of that name, every row and column, in canonical text. Both sides must be quiet.
 * `tables` narrows; a table the target lacks counts all of its rows as missing.
 */
export async function compareSides(
  source: Side,
  target: Side,
  options: { readonly tables?: readonly string[]; readonly explained?: readonly Explained[] } = {},
): Promise<Comparison> {
  const tables = options.tables ?? (await tablesOf(source));
  const explained = new Set((options.explained ?? []).map((e) => `${e.table} ${e.key}`));
  const sum = {
    tables: tables.length,
    rows: 0,
    missing: 0,
    extra: 0,
    differing: 0,
    examples: [] as string[],
  };
  for (const table of tables) {
    const columns = await columnsOf(source, table);
    const meaning = new Map(columns.map((c) => [c.name, c.kind]));
    const key = await keyOf(source, table);
    const present = new Set((await columnsOf(target, table)).map((c) => c.name));
    const targetColumns = (await columnsOf(target, table)).filter((c) => meaning.has(c.name));
    const left = await readRows(source, table, columns, key, meaning);
    const right: Rows =
      present.size === 0 ? new Map() : await readRows(target, table, targetColumns, key, meaning);
    compareTable(table, left, right, { meaning, explained, sum });
  }
  return sum;
}

interface Comparing {
  readonly meaning: ReadonlyMap<string, ColumnKind>;
  readonly explained: ReadonlySet<string>;
  readonly sum: { rows: number; missing: number; extra: number; differing: number; examples: string[] };
}

function compareTable(table: string, left: Rows, right: Rows, { meaning, explained, sum }: Comparing): void {
  const note = (what: string) => void (sum.examples.length < 20 && sum.examples.push(`${table}: ${what}`));
  for (const [key, cells] of left) {
    sum.rows++;
    if (explained.has(`${table} ${key}`)) continue;
    const other = right.get(key);
    if (other === undefined) {
      sum.missing++;
      note(`${key} is missing`);
      continue;
    }
    const columns = [...cells]
      .filter(([name, text]) => !same(meaning.get(name)!, text, other.get(name)))
      .map(([name]) => name);
    if (columns.length === 0) continue;
    sum.differing++;
    note(`${key} differs in ${columns.join(", ")}`);
  }
  for (const key of right.keys()) {
    if (left.has(key) || explained.has(`${table} ${key}`)) continue;
    sum.extra++;
    note(`${key} is extra`);
  }
}

function same(kind: ColumnKind, a: string | null, b: string | null | undefined): boolean {
  if (a === b) return true;
  if (a === null || b === null || b === undefined) return false;
  if (kind === "float") return Number(a) === Number(b);
  return kind === "json" && canonicalJson(a) === canonicalJson(b);
}

// Engines differ in white space and in the order of an object's members; numbers stay texts so that big ones are compared exactly.
function canonicalJson(text: string): string {
  const withTexts = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"#${token}"`,
  );
  return JSON.stringify(sorted(JSON.parse(withTexts)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}
