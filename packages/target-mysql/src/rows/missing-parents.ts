import type { RowWrite } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { quoteName, quoteTable } from "../sql/literal.js";
import type { ForeignKey } from "../tables/foreign-keys.js";
import type { PlannedColumn, TablePlan } from "../tables/mysql-table.js";

/** A row by source table id and JSON key. */
export interface RowName {
  readonly table: string;
  readonly key: string;
}

/**
 * Parents that the row's image names and the target lacks. Only foreign keys to a whole primary key can be told: other columns of the
 * parent don't say which row is meant. `keyOf` gives the parent's key columns at the source.
 */
export async function missingParents(
  session: Session,
  plan: TablePlan,
  row: RowWrite,
  keyOf: (target: string) => readonly string[] | undefined,
): Promise<readonly RowName[]> {
  const missing: RowName[] = [];
  for (const reference of plan.catalog.outbound) {
    const key = keyOf(reference.parent.name) ?? reference.parentColumns;
    const texts = parentKey(plan, reference, key, row);
    if (texts === undefined || (await exists(session, plan, reference, row))) continue;
    missing.push({ table: plan.parentId(reference), key: JSON.stringify(texts) });
  }
  return missing;
}

function parentKey(
  plan: TablePlan,
  reference: ForeignKey,
  key: readonly string[],
  row: RowWrite,
): readonly string[] | undefined {
  if (key.length !== reference.parentColumns.length) return undefined;
  const texts: string[] = [];
  for (const name of key) {
    const column = columnFor(plan, reference, name);
    const cell = column === undefined ? undefined : row.image[column.place];
    if (typeof cell !== "string") return undefined;
    texts.push(cell);
  }
  return texts;
}

function columnFor(plan: TablePlan, reference: ForeignKey, parentColumn: string): PlannedColumn | undefined {
  const names = reference.parentColumns.map((name) => name.toLowerCase());
  const own = reference.columns[names.indexOf(parentColumn.toLowerCase())];
  return plan.columns.find((column) => column.name === own);
}

async function exists(
  session: Session,
  plan: TablePlan,
  reference: ForeignKey,
  row: RowWrite,
): Promise<boolean> {
  const parent = quoteTable(reference.parent.schema, reference.parent.name);
  const where = reference.parentColumns.map((name) => {
    const column = columnFor(plan, reference, name)!;
    return `${quoteName(name)}=${column.write(row.image[column.place] as string)}`;
  });
  const found = await session.rows(`SELECT 1 AS found FROM ${parent} WHERE ${where.join(" AND ")} LIMIT 1`);
  return found.length > 0;
}
