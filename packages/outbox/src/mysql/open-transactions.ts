import { randomUUID } from "node:crypto";
import type { RunStatement } from "@lockstep/core";
import { causedBy } from "./table-shape.js";

/** Which transactions had written something at a moment; `open`: whether one of those of an earlier ticket is still under way. */
interface SeenTransactions {
  readonly ticket: string;
  readonly open: boolean;
}

const accessDenied = 1227;
const tries = 5;
/** Ids of transactions that write count up; those of others are addresses. */
const highestId = "140737488355328";

/**
 * Transactions get their ids when they first write, in that order. The server keeps this list for a tenth of a second, and longer while anybody asks for it: only
 * one in which this session's transaction runs this very statement is newer than what the session has read before. `undefined`: the role may not see transactions.
 */
export async function openTransactions(
  run: RunStatement,
  since = "0",
): Promise<SeenTransactions | undefined> {
  await run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
  try {
    for (let i = 0; i < tries; i++) {
      const nonce = randomUUID();
      const [row] =
        await run(`SELECT /* ${nonce} */ COALESCE(MAX(IF(x.id < ${highestId}, x.id, 0)), 0) AS top,
  COALESCE(SUM(x.id BETWEEN 1 AND ${BigInt(since)}), 0) AS waited, COALESCE(SUM(x.thread = CONNECTION_ID() AND x.query LIKE '%${nonce}%'), 0) AS own
  FROM (SELECT CAST(trx_id AS UNSIGNED) AS id, trx_mysql_thread_id AS thread, trx_query AS query FROM information_schema.innodb_trx) x`);
      if (Number(row!["own"]) > 0) return { ticket: String(row!["top"]), open: Number(row!["waited"]) > 0 };
      await run("DO SLEEP(0.101)");
    }
    return undefined;
  } catch (error) {
    if (causedBy(error, accessDenied)) return undefined;
    throw error;
  } finally {
    await run("COMMIT");
  }
}
