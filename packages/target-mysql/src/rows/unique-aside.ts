import type { Session } from "../session/session.js";
import type { UniqueKey } from "../tables/catalog.js";
import type { PlannedColumn, TablePlan } from "../tables/mysql-table.js";
import { overKeys } from "./key-match.js";
import { remove } from "./remove.js";
import { spareValue } from "./spare-value.js";

/** Runs `work` behind a savepoint; false when the target refused it for a row's sake. */
export type Attempt = (work: () => Promise<void>) => Promise<boolean>;

/**
 * Gives one column of each secondary unique key of these rows a value that no row holds: NULL where it may be, else a random one. So two
 * rows can swap their values: the writes that follow put the right ones in (PROTOCOL.md 17). Where there is no such value (a unique
 * ENUM) or a CHECK refuses it, the rows are removed: they will be written whole. Where even that is refused, they stay, and the write
 * that follows says which unique key is in its way.
 */
export async function moveUniqueAside(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  attempt: Attempt,
): Promise<void> {
  if (plan.uniques.length === 0 || keys.length === 0) return;
  const sets = spareSets(plan);
  const moved = sets !== undefined && (await attempt(() => update(session, plan, keys, sets)));
  if (!moved) await attempt(() => remove(session, plan, keys));
}

async function update(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  sets: readonly string[],
): Promise<void> {
  const head = `UPDATE ${plan.table} SET ${sets.join(",")} WHERE`;
  for (const sql of overKeys(plan, keys, session.flavour.maxPacketBytes, { head })) await session.write(sql);
}

// Undefined when a unique key has no column with spare values.
function spareSets(plan: TablePlan): readonly string[] | undefined {
  const sets = new Map<string, string>();
  for (const unique of plan.uniques) {
    const choice = choose(plan, unique);
    if (choice === undefined) return undefined;
    sets.set(choice.column.quoted, choice.value);
  }
  return [...sets].map(([column, value]) => `${column}=${value}`);
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
