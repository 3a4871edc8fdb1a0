import type { CatalogUnique } from "../tables/catalog.js";
import type { PostgresTable } from "../tables/postgres-table.js";
import { quoteName } from "../sql/quote.js";
import { asideValue } from "./aside-value.js";

/** How a table's unique values are moved out of the way. */
export type AsidePlan =
  /** Assignments of an UPDATE. */
  | { readonly kind: "update"; readonly set: readonly string[] }
  /** Some constraint has no column that can be changed; rows are taken out and written anew. */
  | { readonly kind: "take-out" }
  /** … and rows can't be taken out, because foreign keys point to them. `constraint` is the one that can't be moved. */
  | { readonly kind: "impossible"; readonly constraint: string };

/** Decides from the catalog. `number` is an SQL integer that differs from row to row. */
export function planAside(table: PostgresTable, number: string): AsidePlan {
  const set = new Map<string, string>();
  for (const unique of table.uniques) {
    const move = findMove(table, unique, number);
    if (move === undefined) return withoutUpdate(table, unique.name);
    set.set(move.column, `${quoteName(move.column)} = ${move.value}`);
  }
  return { kind: "update", set: [...set.values()] };
}

/** What is left when an UPDATE can't do it (or a CHECK of the table refuses what it did). */
export function withoutUpdate(table: PostgresTable, constraint: string): AsidePlan {
  return table.catalog.referencedBy.length === 0 ? { kind: "take-out" } : { kind: "impossible", constraint };
}

function findMove(
  table: PostgresTable,
  unique: CatalogUnique,
  number: string,
): { readonly column: string; readonly value: string } | undefined {
  const candidates = table.catalog.columns.filter(
    ({ name, generated, identityAlways }) =>
      unique.columns.includes(name) && !generated && !identityAlways && !table.schema.key.includes(name),
  );
  const { foreignKeys, referencedBy } = table.catalog;
  const referenced = new Set(referencedBy.flatMap(({ parent }) => parent.columns));
  const referencing = new Set(foreignKeys.flatMap(({ child }) => child.columns));
  const fullMatch = new Set(foreignKeys.filter((key) => key.matchFull).flatMap(({ child }) => child.columns));

  const nullable = candidates.find(
    // Inside an expression NULL may become a value like any other.
    ({ name, nullable }) =>
      nullable && unique.nullsDistinct && unique.plain.includes(name) && !fullMatch.has(name),
  );
  if (nullable !== undefined) return { column: nullable.name, value: "null" };
  for (const column of candidates) {
    if (referenced.has(column.name) || referencing.has(column.name)) continue;
    const value = asideValue(column, { number });
    if (value !== undefined) return { column: column.name, value };
  }
  return undefined;
}
