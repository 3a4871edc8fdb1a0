import type { BaseKept } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import type { Session } from "../session/session.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { joinedRows, overKeyRows } from "./key-rows.js";
import { rowPrint } from "./row-print.js";

/** Makes what lies under these keys now their base: read by the database itself, so that it compares equal until somebody changes it. */
export async function keepBases(session: Session, plan: TablePlan, rows: readonly BaseKept[]): Promise<void> {
  const there = `t.${plan.key[0]!.quoted} IS NOT NULL`;
  const head = "INSERT INTO lockstep_row_base (table_name, row_hash, row_key, image, decided, deleted_at)";
  const tail = `SELECT ${textLiteral(plan.name)}, s.h, s.m0, IF(${there}, ${rowPrint(plan)}, NULL), s.m1, IF(${there}, NULL, ${Date.now()})
    FROM ${joinedRows(plan)} ON DUPLICATE KEY UPDATE image = VALUES(image), decided = VALUES(decided), deleted_at = VALUES(deleted_at)`;
  const given = rows.map(({ key, decided = null }) => ({ key, more: [key, decided] }));
  for (const sql of overKeyRows(session, plan, given, { head, tail })) await session.write(sql);
}
