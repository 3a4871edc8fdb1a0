import type { RowImage, RowWrite } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { packets } from "../sql/packets.js";
import { cellLiteral, rowLiteral, type PlannedColumn, type TablePlan } from "../tables/mysql-table.js";
import { rowMatch } from "./key-match.js";

/**
 * Writes rows with unknown cells: the known ones are updated; where there is no such row, it is inserted with what is known.
 * INSERT … ON DUPLICATE KEY UPDATE would refuse an existing row as soon as an unknown column is NOT NULL.
 */
export async function updateThenInsert(
  session: Session,
  plan: TablePlan,
  rows: readonly RowWrite[],
): Promise<void> {
  const updates = rows.map((row) => updateOf(plan, row));
  const { maxPacketBytes } = session.flavour;
  for (const { from, to } of packets("", updates, ";\n", "", maxPacketBytes)) {
    const found = await session.writeEach(updates.slice(from, to));
    for (const [i, count] of found.entries()) {
      if (count === 0) await session.write(insertOf(plan, rows[from + i]!.image));
    }
  }
}

function updateOf(plan: TablePlan, row: RowWrite): string {
  const known = knownColumns(plan, row.image).filter((column) => !plan.key.includes(column));
  // With nothing to set the key is set to itself, so that the row is still looked for.
  const sets = (known.length > 0 ? known : plan.key).map(
    (column) => `${column.quoted}=${cellLiteral(column, row.image[column.place])}`,
  );
  return `UPDATE ${plan.table} SET ${sets.join(",")} WHERE ${rowMatch(plan, row.key)}`;
}

/** Inserts what is known of a row. */
export function insertOf(plan: TablePlan, image: RowImage): string {
  const known = knownColumns(plan, image);
  return `INSERT INTO ${plan.table} (${known.map((c) => c.quoted).join(",")}) VALUES ${rowLiteral(known, image)}`;
}

function knownColumns(plan: TablePlan, image: RowImage): readonly PlannedColumn[] {
  return plan.columns.filter((column) => image[column.place] !== 0);
}
