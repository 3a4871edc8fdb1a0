import { LockstepError } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { quoteName, quoteTable } from "../sql/literal.js";
import { isSelfReference, type ForeignKey } from "../tables/foreign-keys.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { wouldCascade } from "./cascades.js";

/** Rows per statement: an endless one would meet the statement time-out. */
const rowsPerStatement = 10_000;

/** Cells that the rows to delete have; others share the table. */
type Share = Readonly<Record<string, string>>;

/** Empties a table, or a share of it, row by row: TRUNCATE would end the transaction. */
export async function truncate(session: Session, plan: TablePlan, only?: Share): Promise<void> {
  const inShare = shareCondition(plan, only);
  for (const reference of plan.catalog.inbound) {
    if (only !== undefined || !isSelfReference(reference))
      await refuseChildren(session, plan, reference, inShare);
  }
  if (plan.selfKeys.length === 0) return deleteRows(session, plan, inShare);
  // Only rows that go themselves still point to rows that go: nothing is left to check, nothing may cascade.
  await session.write("SET SESSION foreign_key_checks = 0");
  try {
    await deleteRows(session, plan, inShare);
  } finally {
    await session.write("SET SESSION foreign_key_checks = 1");
  }
}

type ShareCondition = ((of: string) => string) | undefined;

function shareCondition(plan: TablePlan, only: Share | undefined): ShareCondition {
  if (only === undefined) return undefined;
  const columns = plan.columns.filter(({ name }) => name in only);
  return (of) =>
    columns.map(({ name, quoted, write }) => `${of}${quoted} = ${write(only[name]!)}`).join(" AND ");
}

async function deleteRows(session: Session, plan: TablePlan, inShare: ShareCondition): Promise<void> {
  const which = inShare === undefined ? "" : ` WHERE ${inShare("")}`;
  const sql = `DELETE FROM ${plan.table}${which} LIMIT ${rowsPerStatement}`;
  while ((await session.write(sql)) === rowsPerStatement);
}

async function refuseChildren(
  session: Session,
  plan: TablePlan,
  reference: ForeignKey,
  inShare: ShareCondition,
): Promise<void> {
  const found = await session.rows(childSearch(plan, reference, inShare));
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

function childSearch(plan: TablePlan, reference: ForeignKey, inShare: ShareCondition): string {
  const child = quoteTable(reference.child.schema, reference.child.name);
  if (inShare === undefined) {
    const set = reference.columns.map((column) => `${quoteName(column)} IS NOT NULL`).join(" AND ");
    return `SELECT 1 AS found FROM ${child} WHERE ${set} LIMIT 1`;
  }
  const pairs = reference.columns.map(
    (column, i) => `c.${quoteName(column)} = p.${quoteName(reference.parentColumns[i]!)}`,
  );
  const itself = isSelfReference(reference) ? ` AND NOT (${inShare("c.")})` : "";
  return `SELECT 1 AS found FROM ${plan.table} p JOIN ${child} c ON ${pairs.join(" AND ")} WHERE ${inShare("p.")}${itself} LIMIT 1`;
}
