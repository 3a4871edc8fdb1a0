import type { ComparedTable } from "../digest/compared-table.js";
import type { NamedRows, ReportedRow } from "./report.js";

/**
 * The canonical keys (JSON) of the rows that a report names of a table; `"all"` when it hides a key, which leads to no row. What it says of them
 * counts for nothing. Pure.
 */
export function namedRows({ tables }: NamedRows, table: ComparedTable): readonly string[] | "all" {
  const named = tables
    .filter(({ table: id, to }) => id === table.id && to === table.to)
    .flatMap(({ differences }) => differences);
  if (named.some(({ isMasked }) => isMasked)) return "all";
  const keys = named.map((row) => keyOf(table, row)).filter((key) => key !== undefined);
  return [...new Set(keys.map((key) => JSON.stringify(key)))];
}

function keyOf(table: ComparedTable, { key, targetKey }: Pick<ReportedRow, "key" | "targetKey">) {
  return key === undefined ? targetKey : table.canonicalKey(key);
}
