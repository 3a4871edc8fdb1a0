import type { ComparedTable } from "../digest/compared-table.js";
import type { NamedRows, ReportedRow } from "./report.js";

/** The canonical keys (JSON) of the rows that a report names of a table. What it says of them counts for nothing. Pure. */
export function namedRows({ tables }: NamedRows, table: ComparedTable): readonly string[] {
  const rows = tables.filter(({ table: id, to }) => id === table.id && to === table.to);
  const keys = rows.flatMap(({ differences }) => differences.map((row) => keyOf(table, row)));
  return [...new Set(keys.filter((key) => key !== undefined).map((key) => JSON.stringify(key)))];
}

function keyOf(table: ComparedTable, { key, targetKey }: Pick<ReportedRow, "key" | "targetKey">) {
  return key === undefined ? targetKey : table.canonicalKey(key);
}
