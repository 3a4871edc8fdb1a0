import type { PostgresTable } from "../tables/postgres-table.js";
import { keyTexts } from "./cells.js";
import { columnArrays } from "./row-source.js";

/** JSON keys as parameters: one array per key column, in the source's key order. */
export function keyArrays(table: PostgresTable, keys: readonly string[]): readonly string[] {
  const rows = keys.map((key) => keyTexts(table, key));
  return columnArrays(
    rows,
    table.key.map((_, i) => i),
  );
}
