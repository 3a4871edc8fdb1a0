/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A table's full name. */
export function quoteTable(table: { readonly namespace: string; readonly name: string }): string {
  return `${quoteName(table.namespace)}.${quoteName(table.name)}`;
}

/**
 * A text as a literal that means the same whatever the connection's charset and sql_mode are (NO_BACKSLASH_ESCAPES makes the
 * driver's own escaping wrong).
 */
export function quoteText(text: string): string {
  return `_utf8mb4 X'${Buffer.from(text, "utf8").toString("hex")}'`;
}

/** The same, or NULL. */
export function quoteNullable(text: string | null | undefined): string {
  return text == null ? "NULL" : quoteText(text);
}
