import { isSealed, tableId, type TableSchema } from "@lockstep/core";

/** What stands in place of a masked value. */
export const maskText = "***";

/** Which columns are hidden. */
export interface Mask {
  /** Whether a column of a known table is hidden. */
  hides(table: string, column: string): boolean;
  /** Whether any column of this table might be: decides where columns aren't known by name. */
  mayHide(table: string): boolean;
}

/** `column` hides it in every table, `table.column` and `namespace.table.column` in that one; case-insensitive. */
export function maskOf(columns: readonly string[]): Mask {
  const rules = columns.map((text) => {
    const parts = text.toLowerCase().split(".");
    return { column: parts.pop()!, table: parts.join(".") };
  });
  const applies = (rule: { table: string }, table: string) =>
    rule.table === "" || table === rule.table || table.endsWith(`.${rule.table}`);
  return {
    hides: (table, column) =>
      rules.some((r) => r.column === column.toLowerCase() && applies(r, table.toLowerCase())),
    mayHide: (table) => rules.some((r) => applies(r, table.toLowerCase())),
  };
}

/**
 * A JSON key, its hidden texts ones replaced. While the table's schema isn't known, a key that might hold a masked column is hidden whole:
 * showing too little is mended by waiting, showing too much isn't.
 */
export function maskKey(mask: Mask, table: string, key: string, schema: TableSchema | undefined): string {
  const texts = JSON.parse(key) as string[];
  if (!mask.mayHide(table) && !texts.some(isSealed)) return key;
  const known = schema !== undefined && tableId(schema) === table ? schema.key : undefined;
  const hides = (i: number) =>
    isSealed(texts[i] ?? "") ||
    (mask.mayHide(table) && (known === undefined || mask.hides(table, known[i] ?? "")));
  return JSON.stringify(texts.map((text, i) => (hides(i) ? maskText : text)));
}
