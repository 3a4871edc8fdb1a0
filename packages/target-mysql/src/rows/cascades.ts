import { LockstepError } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { quoteName, quoteTable } from "../sql/literal.js";
import type { ForeignKey } from "../tables/foreign-keys.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { overKeys } from "./key-match.js";

/**
 * Cascades never fire in an apply transaction (PROTOCOL.md 16): what they change, no event restores. So a row that one of these cascading
 * foreign keys still points to isn't deleted, nor is its key changed.
 * @throws LockstepError TARGET_WOULD_CASCADE naming the foreign key.
 */
export async function refuseCascades(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  cascading: readonly ForeignKey[],
): Promise<void> {
  for (const reference of cascading) {
    const head = `SELECT 1 AS found FROM ${withChildren(plan, reference)} WHERE`;
    const tail = " LIMIT 1 LOCK IN SHARE MODE";
    for (const sql of overKeys(plan, keys, session.flavour.maxPacketBytes, { head, tail, of: "p." })) {
      if ((await session.rows(sql)).length > 0) throw wouldCascade(plan, reference);
    }
  }
}

/** `t p JOIN child c ON …`: rows of the table with the rows that point to them. */
export function withChildren(plan: TablePlan, reference: ForeignKey): string {
  const on = reference.columns.map(
    (column, i) => `c.${quoteName(column)}=p.${quoteName(reference.parentColumns[i]!)}`,
  );
  const child = quoteTable(reference.child.schema, reference.child.name);
  return `${plan.table} p JOIN ${child} c ON ${on.join(" AND ")}`;
}

/** The error for a delete or key change that a foreign key would carry on to other rows. */
export function wouldCascade(plan: TablePlan, reference: ForeignKey): LockstepError {
  return new LockstepError(
    "TARGET_WOULD_CASCADE",
    `rows of ${plan.name} are still referenced by ${reference.name}`,
    {
      details: { about: reference.name },
    },
  );
}
