import { LockstepError } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { quoteName, quoteTable } from "../sql/literal.js";
import { isSelfReference, type ForeignKey } from "../tables/foreign-keys.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { wouldCascade } from "./cascades.js";

/** Rows per statement: an endless one would meet the statement time-out. */
const rowsPerStatement = 10_000;

/** Empties a table row by row: TRUNCATE would end the transaction. */
export async function truncate(session: Session, plan: TablePlan): Promise<void> {
  for (const reference of plan.catalog.inbound) {
    if (!isSelfReference(reference)) await refuseChildren(session, plan, reference);
  }
  if (plan.selfKeys.length === 0) return deleteRows(session, plan);
  // Only the table's own rows still point to its rows, and all of them go: nothing is left to check, nothing may cascade.
  await session.write("SET SESSION foreign_key_checks = 0");
  try {
    await deleteRows(session, plan);
  } finally {
    await session.write("SET SESSION foreign_key_checks = 1");
  }
}

async function deleteRows(session: Session, plan: TablePlan): Promise<void> {
  const sql = `DELETE FROM ${plan.table} LIMIT ${rowsPerStatement}`;
  while ((await session.write(sql)) === rowsPerStatement);
}

async function refuseChildren(session: Session, plan: TablePlan, reference: ForeignKey): Promise<void> {
  const child = quoteTable(reference.child.schema, reference.child.name);
  const set = reference.columns.map((column) => `${quoteName(column)} IS NOT NULL`).join(" AND ");
  const found = await session.rows(`SELECT 1 AS found FROM ${child} WHERE ${set} LIMIT 1`);
  if (found.length === 0) return;
  if (reference.cascadesDelete) throw wouldCascade(plan, reference);
  throw new LockstepError(
    "TARGET_FOREIGN_KEY",
    `rows of ${plan.name} are still referenced by ${reference.name}`,
    {
      details: { about: reference.name },
    },
  );
}
