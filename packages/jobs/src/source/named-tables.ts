import { LockstepError, type RowNote, tableId } from "@lockstep/core";

/**
 * The tables of this name, as `name` or `namespace.name`. @throws LockstepError ENTITY_UNKNOWN, with the table that was meant, perhaps: an entity is called
 * `OrderLine` in the code, and `order_lines` here.
 */
export function tablesNamed<T extends RowNote["table"]>(known: readonly T[], name: string): readonly T[] {
  const found = known.filter((table) => tableId(table) === name || table.name === name);
  if (found.length > 0) return found;
  const likely = known.filter((table) => plain(table.name) === plain(name));
  const meant = likely.length === 0 ? "" : `; did you mean the table ${likely.map(tableId).join(" or ")}?`;
  const all = known.map(tableId).sort().join(", ");
  throw new LockstepError("ENTITY_UNKNOWN", `no table "${name}" is captured; known: ${all}${meant}`);
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "")
    .replace(/(?:ies|y|es|s)$/, "");
}
