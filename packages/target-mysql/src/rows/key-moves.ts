import type { RowWrite } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { storedText, writeStored } from "../tables/stored-text.js";
import { keyTexts, type TablePlan } from "../tables/mysql-table.js";
import { refuseCascades } from "./cascades.js";
import { rowMatch } from "./key-match.js";
import { parentsFirst } from "./parents-first.js";
import { remove } from "./remove.js";
import { spareValue } from "./spare-value.js";

const duplicateKey = 1062;

/**
 * Gives rows their new primary key before they are written (PROTOCOL.md 16: a key change is an UPDATE of the key). A row whose new key is
 * still another moving row's old one waits until that has moved; rows in a ring go by way of a spare key.
 */
export async function moveKeys(session: Session, plan: TablePlan, rows: readonly RowWrite[]): Promise<void> {
  const moving = rows.filter((row) => row.before !== undefined && row.before !== row.key);
  if (moving.length === 0) return;
  const { ordered, cyclic } = parentsFirst(
    moving,
    (row) => [row.before!],
    (row) => [row.key],
  );
  const cascading = plan.catalog.inbound.filter((key) => key.cascadesUpdate);
  const old = moving.map((row) => row.before!);
  await refuseCascades(session, plan, old, cascading);
  const asideAt = new Map<RowWrite, string>();
  for (const row of cyclic) asideAt.set(row, await stepAside(session, plan, row.before!));
  for (const row of [...ordered, ...cyclic]) {
    await moveKey(session, plan, row, asideAt.get(row) ?? rowMatch(plan, row.before!));
  }
}

async function moveKey(session: Session, plan: TablePlan, row: RowWrite, match: string): Promise<void> {
  const texts = keyTexts(row.key);
  const sets = plan.key.map((column, i) => `${column.quoted}=${column.write(texts[i]!)}`).join(",");
  const move = `UPDATE ${plan.table} SET ${sets} WHERE ${match}`;
  try {
    await session.write(move);
  } catch (error) {
    if (!(error instanceof Error && "errno" in error && error.errno === duplicateKey)) throw error;
    // The server has undone this statement alone; the transaction stands. A row holds the new key already (or a unique value, which the
    // upsert that follows will say): with a whole image the old row can go; an image with gaps needs the old row's cells.
    if (!row.image.includes(0)) return remove(session, plan, [row.before!]);
    await remove(session, plan, [row.key]);
    await session.write(move);
  }
}

// Returns the condition that finds the row at its spare key; a table whose key has no spare values keeps it where it is.
async function stepAside(session: Session, plan: TablePlan, key: string): Promise<string> {
  const here = rowMatch(plan, key);
  const foreign = new Set(plan.catalog.outbound.flatMap((reference) => reference.columns));
  for (const column of plan.key) {
    const spare = foreign.has(column.name) ? undefined : spareValue(column.target);
    if (spare === undefined) continue;
    const [made] = await session.rows(`SELECT ${storedText(column.target, spare)} AS spare`);
    const value = writeStored(column.target)(made!["spare"]!);
    if ((await session.write(`UPDATE ${plan.table} SET ${column.quoted}=${value} WHERE ${here}`)) === 0)
      return here;
    const texts = keyTexts(key);
    return plan.key
      .map((other, i) => `${other.quoted}=${other === column ? value : other.write(texts[i]!)}`)
      .join(" AND ");
  }
  return here;
}
