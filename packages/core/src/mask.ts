/** Which columns are hidden. */
export interface Mask {
  /** Nothing is hidden. */
  readonly isEmpty: boolean;
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
    isEmpty: rules.length === 0,
    hides: (table, column) =>
      rules.some((r) => r.column === column.toLowerCase() && applies(r, table.toLowerCase())),
    mayHide: (table) => rules.some((r) => applies(r, table.toLowerCase())),
  };
}
