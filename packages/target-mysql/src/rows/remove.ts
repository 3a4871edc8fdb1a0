import type { Session } from "../session/session.js";
import { packets } from "../sql/packets.js";
import { isSelfReference } from "../tables/foreign-keys.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { refuseCascades, wouldCascade } from "./cascades.js";
import { loosenable } from "./cycles.js";
import { overKeys } from "./key-match.js";
import { parentsFirst } from "./parents-first.js";
import { storedChildren, storedRows, type StoredRow } from "./stored-rows.js";

/** Deletes by key; a key that isn't there is no error. */
export async function remove(session: Session, plan: TablePlan, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const cascading = plan.catalog.inbound.filter((key) => key.cascadesDelete && !isSelfReference(key));
  await refuseCascades(session, plan, keys, cascading);
  if (plan.selfKeys.length > 0) return removeChildrenFirst(session, plan, keys);
  const head = `DELETE FROM ${plan.table} WHERE`;
  for (const sql of overKeys(plan, keys, session.flavour.maxPacketBytes, { head })) await session.write(sql);
}

// InnoDB checks a self-reference at each row, not at the end of the statement: the order of the deletes decides.
async function removeChildrenFirst(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
): Promise<void> {
  const rows = await storedRows(session, plan, keys);
  await refuseOwnCascades(session, plan, keys, rows);
  const { ordered, cyclic } = parentsFirst(
    rows,
    (row) => row.ids,
    (row) => row.points,
  );
  // MariaDB refuses to delete even a row that points to nothing but itself.
  const selfish = ordered.filter((row) => row.points.some((id) => row.ids.includes(id)));
  await runEach(session, loosening(plan, [...cyclic, ...selfish]));
  const deletes = [...cyclic, ...ordered.toReversed()].map(
    (row) => `DELETE FROM ${plan.table} WHERE ${row.match}`,
  );
  await runEach(session, deletes);
}

// Rows that point to each other go in no order; with their references set to NULL they go in any.
function loosening(plan: TablePlan, cyclic: readonly StoredRow[]): readonly string[] {
  const columns = loosenable(plan);
  if (columns.length === 0) return [];
  const sets = columns.map((column) => `${column.quoted}=NULL`).join(",");
  return cyclic.map((row) => `UPDATE ${plan.table} SET ${sets} WHERE ${row.match}`);
}

// Children inside the set are deleted before their parents, so that a cascade finds none; children outside would be carried away.
async function refuseOwnCascades(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  rows: readonly StoredRow[],
): Promise<void> {
  const inside = new Set(rows.map((row) => row.key));
  for (const reference of plan.selfKeys.filter((key) => key.cascadesDelete)) {
    const children = await storedChildren(session, plan, keys, reference, inside.size + 1);
    if (children.some((child) => !inside.has(child))) throw wouldCascade(plan, reference);
  }
}

async function runEach(session: Session, statements: readonly string[]): Promise<void> {
  for (const { from, to } of packets("", statements, ";\n", "", session.flavour.maxPacketBytes)) {
    await session.writeEach(statements.slice(from, to));
  }
}
