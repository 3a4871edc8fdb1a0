import type { Finding } from "@lockstep/core";
import type { Look } from "./server.js";

const gapless = new Set(["READ-COMMITTED", "READ-UNCOMMITTED"]);

/**
 * Triggers that follow foreign keys over two and more levels rely on gap locks: without them a row of the last level that comes at the same moment goes
 * unseen. What sessions ask for themselves isn't known here.
 */
export async function examineIsolation({ connections }: Look): Promise<readonly Finding[]> {
  const [deep, variables] = await connections.use(async (session) => [
    await session.rows(`SELECT DISTINCT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
  WHERE TRIGGER_SCHEMA = DATABASE() AND ACTION_STATEMENT LIKE '%SET lockstep\\_depth = lockstep\\_depth + 1%' ORDER BY 1`),
    // MySQL 8 knows only the second name, MariaDB before 11.1 only the first.
    await session.rows(
      "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
    ),
  ]);
  const isolation = String(variables![0]?.[1]);
  if (deep!.length === 0 || !gapless.has(isolation)) return [];
  return deep!.map(([table]) => ({
    check: "capture.isolation",
    level: "warning",
    subject: String(table),
    message: `a delete here cascades over several tables, and under ${isolation} can miss a row that is inserted at the same moment`,
    advice:
      "Let the sessions that delete here use REPEATABLE READ, or lock the rows in between first (SELECT … FOR UPDATE).",
  }));
}
