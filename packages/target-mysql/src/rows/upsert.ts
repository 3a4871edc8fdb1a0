import { LockstepError, type RowWrite } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { columnIn } from "../error-names.js";
import { packets } from "../sql/packets.js";
import { insertHead, rowLiteral, type TablePlan } from "../tables/mysql-table.js";
import { withoutSelfReferences } from "./cycles.js";
import { moveKeys } from "./key-moves.js";
import { writesParentsFirst } from "./parents-first.js";
import { updateThenInsert } from "./update-then-insert.js";

/** Inserts or updates exactly the rows with these primary keys. Keys are distinct. */
export async function upsert(session: Session, plan: TablePlan, rows: readonly RowWrite[]): Promise<void> {
  // No await on the common way: the statement is on its way when this returns, and the lane prepares its next batch meanwhile.
  if (rows.some((row) => row.before !== undefined)) await moveKeys(session, plan, rows);
  if (plan.selfKeys.length === 0) return writeRows(session, plan, rows);
  const { ordered, cyclic } = writesParentsFirst(plan, rows);
  // Rows that point to each other: first without the pointers, then as they are.
  await writeRows(session, plan, [...ordered, ...withoutSelfReferences(plan, cyclic)]);
  await writeRows(session, plan, cyclic);
}

async function writeRows(session: Session, plan: TablePlan, rows: readonly RowWrite[]): Promise<void> {
  const whole = rows.filter((row) => !row.image.includes(0));
  await insertOrUpdate(session, plan, whole);
  if (whole.length < rows.length) {
    await updateThenInsert(
      session,
      plan,
      rows.filter((row) => row.image.includes(0)),
    );
  }
}

async function insertOrUpdate(session: Session, plan: TablePlan, rows: readonly RowWrite[]): Promise<void> {
  if (rows.length === 0) return;
  const literals = rows.map((row) => rowLiteral(plan.columns, row.image));
  const head = insertHead(plan);
  for (const packet of packets(head, literals, ",", onDuplicateKey(plan), session.flavour.maxPacketBytes)) {
    try {
      await session.write(packet.sql);
    } catch (error) {
      if (!isGuard(error, plan)) throw error;
      // Alone, a plain INSERT makes the server name the unique key.
      if (packet.to - packet.from === 1) await session.write(head + literals[packet.from]!);
      throw new LockstepError("TARGET_UNIQUE", `another row of ${plan.name} holds a unique value of the set`);
    }
  }
}

/**
 * The update half. **Maintained invariant: only the row with the same primary key is ever updated.** ON DUPLICATE KEY UPDATE also fires
 * for a secondary unique key, and would then overwrite another row in silence (a MariaDB unique key over a long text is even looked at
 * before the primary key). So the first assignment sets the key to NULL when the row found isn't the row meant: error 1048, nothing written.
 * It costs no round trip and holds also for a unique key that was added after the catalog was read.
 */
function onDuplicateKey(plan: TablePlan): string {
  const first = plan.key[0]!;
  const same = plan.key.map(({ quoted }) => `${plan.table}.${quoted}=VALUES(${quoted})`).join(" AND ");
  const guard = `${first.quoted}=IF(${same},${plan.table}.${first.quoted},NULL)`;
  const sets = plan.columns
    .filter((column) => !plan.key.includes(column))
    .map(({ quoted }) => `${quoted}=VALUES(${quoted})`);
  return ` ON DUPLICATE KEY UPDATE ${[guard, ...sets].join(",")}`;
}

// The key itself is never NULL in an image (it is the source's key), so 1048 about it can only be the guard.
function isGuard(error: unknown, plan: TablePlan): boolean {
  if (!(error instanceof Error) || !("errno" in error)) return false;
  return error.errno === 1048 && columnIn(error.message) === plan.key[0]!.name;
}
