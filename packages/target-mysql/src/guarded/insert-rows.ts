import type { RowWrite } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { packets } from "../sql/packets.js";
import { withoutSelfReferences } from "../rows/cycles.js";
import { writesParentsFirst } from "../rows/parents-first.js";
import { insertOf } from "../rows/update-then-insert.js";
import { upsert } from "../rows/upsert.js";
import { insertHead, rowLiteral, type TablePlan } from "../tables/mysql-table.js";

/** Inserts rows; what is there by now is a duplicate. Unknown cells get the column's default. */
export async function insertRows(
  session: Session,
  plan: TablePlan,
  rows: readonly RowWrite[],
): Promise<void> {
  if (plan.selfKeys.length === 0) return insertAll(session, plan, rows);
  const { ordered, cyclic } = writesParentsFirst(plan, rows);
  // Rows that point to each other: first without the pointers, then as they are.
  await insertAll(session, plan, [...ordered, ...withoutSelfReferences(plan, cyclic)]);
  await upsert(session, plan, cyclic);
}

async function insertAll(session: Session, plan: TablePlan, rows: readonly RowWrite[]): Promise<void> {
  const whole = rows
    .filter((row) => !row.image.includes(0))
    .map((row) => rowLiteral(plan.columns, row.image));
  for (const { sql } of packets(insertHead(plan), whole, ",", "", session.flavour.maxPacketBytes)) {
    await session.write(sql);
  }
  for (const row of rows) if (row.image.includes(0)) await session.write(insertOf(plan, row.image));
}
