import type { Session } from "../connection/session.js";
import type { UniqueKey } from "../tables/catalog.js";
import type { PlannedColumn, TablePlan } from "../tables/table-plan.js";
import { keyColumns, keyLiterals } from "./key-match.js";
import { packets } from "../sql/packets.js";
import { spareValue } from "./spare-value.js";

/**
 * Gives one column of each secondary unique key of these rows a value that no row holds: NULL where it may be, else a random one. So two
 * rows can swap their values: the writes that follow put the right ones in (PROTOCOL.md 17).
 */
export async function moveUniqueAside(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
): Promise<void> {
  const sets = new Map<string, string>();
  for (const unique of plan.catalog.uniques) {
    const choice = choose(plan, unique);
    if (choice !== undefined) sets.set(choice.column.quoted, choice.value);
  }
  if (sets.size === 0) return;
  const list = [...sets].map(([column, value]) => `${column}=${value}`).join(",");
  const head = `UPDATE ${plan.table} SET ${list} WHERE ${keyColumns(plan)} IN (`;
  for (const { sql } of packets(head, keyLiterals(plan, keys), ",", ")", session.flavour.maxPacketBytes)) {
    await session.write(sql);
  }
}

// A unique key with a NULL in it collides with nothing. A column of the primary key must stay; one that others reference would cascade;
// a random value in a foreign key would point nowhere.
function choose(
  plan: TablePlan,
  unique: UniqueKey,
): { readonly column: PlannedColumn; readonly value: string } | undefined {
  const referenced = new Set(plan.catalog.inbound.flatMap((key) => key.parentColumns));
  const foreign = new Set(plan.catalog.outbound.flatMap((key) => key.columns));
  const free = plan.columns.filter(
    (column) =>
      unique.columns.includes(column.name) && !plan.key.includes(column) && !referenced.has(column.name),
  );
  const nullable = free.find((column) => column.target.nullable);
  if (nullable !== undefined) return { column: nullable, value: "NULL" };
  for (const column of free) {
    const value = foreign.has(column.name) ? undefined : spareValue(column.target);
    if (value !== undefined) return { column, value };
  }
  return undefined;
}
