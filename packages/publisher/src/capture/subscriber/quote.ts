import type { Engine } from "@lockstep/core";

/** A name as an identifier. Our own: TypeORM 0.3's `escape` doesn't double quotes inside a name. */
export function quoteName(engine: Engine, name: string): string {
  return engine === "postgres" ? `"${name.replaceAll('"', '""')}"` : `\`${name.replaceAll("`", "``")}\``;
}

/** A table with its namespace, as an identifier. */
export function quoteTable(
  engine: Engine,
  table: { readonly namespace: string; readonly name: string },
): string {
  return `${quoteName(engine, table.namespace)}.${quoteName(engine, table.name)}`;
}
