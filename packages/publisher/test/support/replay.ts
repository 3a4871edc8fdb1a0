import type { OutboxRow, Source } from "./open-source.js";

/** Rows by `table key`; their cells, or `undefined` for a row that was deleted. */
export type Rows = ReadonlyMap<string, readonly (string | null)[] | undefined>;

/** What outbox rows leave behind when they are applied in order. */
export function replay(outbox: readonly OutboxRow[]): Rows {
  const rows = new Map<string, readonly (string | null)[] | undefined>();
  for (const { table, key, before, image } of outbox) {
    if (before) rows.set(`${table} ${JSON.stringify(before)}`, undefined);
    rows.set(`${table} ${JSON.stringify(key)}`, image);
  }
  return rows;
}

/** The live rows of a replay, in a stable order. */
export function liveRows(rows: Rows): [string, readonly (string | null)[]][] {
  return [...rows]
    .flatMap(([id, cells]) =>
      cells === undefined ? [] : [[id, cells] as [string, readonly (string | null)[]]],
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What the tables hold, read beside the outbox: every column's text in the table's column order. */
export async function contents(
  source: Source,
  tables: readonly { readonly name: string; readonly key: readonly string[] }[],
): Promise<[string, readonly (string | null)[]][]> {
  const all = new Map<string, readonly (string | null)[]>();
  for (const { name, key } of tables) {
    const columns = await columnsOf(source, name);
    const text = (column: string) =>
      source.type === "postgres" ? `"${column}"::text` : `CAST(\`${column}\` AS CHAR)`;
    const list = columns.map((column, index) => `${text(column)} AS c${index}`).join(", ");
    const from = source.type === "postgres" ? `"${name}"` : `\`${name}\``;
    for (const row of await source.sql(`SELECT ${list} FROM ${from}`)) {
      const cells = columns.map((_, index) => row[`c${index}`] as string | null);
      const id = key.map((column) => cells[columns.indexOf(column)]);
      all.set(`${name} ${JSON.stringify(id)}`, cells);
    }
  }
  return liveRows(all);
}

async function columnsOf(source: Source, table: string): Promise<string[]> {
  const rows = await source.sql(
    source.type === "postgres"
      ? `SELECT attname AS name FROM pg_attribute WHERE attrelid = '"${table}"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
      : `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table}' ORDER BY ORDINAL_POSITION`,
  );
  return rows.map((row) => String(row["name"]));
}
