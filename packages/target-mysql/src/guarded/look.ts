import { type RowLook, rowLook } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import type { Row, Session } from "../session/session.js";
import type { TablePlan } from "../tables/mysql-table.js";
import { joinedRows, overKeyRows } from "./key-rows.js";
import { readPrint, rowPrint } from "./row-print.js";

/** Locks the rows of these keys and compares them with their bases, all in the database: only what differs travels. */
export async function look(
  session: Session,
  plan: TablePlan,
  keys: readonly string[],
  images: "changed" | "all",
): Promise<readonly RowLook[]> {
  const looks: RowLook[] = [];
  const of = { head: "", tail: `${compareRows(plan, images)} FOR UPDATE` };
  const rows = keys.map((key) => ({ key }));
  for (const sql of overKeyRows(session, plan, rows, of)) {
    for (const row of await session.rows(sql)) looks[Number(row["n"])] = readLook(plan, row);
  }
  return looks;
}

function compareRows(plan: TablePlan, images: "changed" | "all"): string {
  const there = `t.${plan.key[0]!.quoted} IS NOT NULL`;
  const print = rowPrint(plan);
  const isSame = `(${there} AND b.decided IS NULL AND IFNULL(b.image = BINARY ${print}, FALSE))`;
  const shown = images === "all" ? print : `IF(${isSame}, NULL, ${print})`;
  return `SELECT s.n AS n, ${there} AS there, ${isSame} AS same, IF(${there}, ${shown}, NULL) AS print, IF(${isSame}, NULL, b.image) AS base, b.decided AS decided
    FROM ${joinedRows(plan)} LEFT JOIN lockstep_row_base b ON b.table_name = ${textLiteral(plan.name)} AND b.row_hash = s.h`;
}

function readLook(plan: TablePlan, { there, same, print, base, decided }: Row): RowLook {
  const found = { isThere: there === "1", isSame: same === "1", print, base, decided };
  return rowLook(plan.schema, found, (text) => readPrint(plan, text));
}
