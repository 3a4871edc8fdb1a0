import type { RunStatement } from "@lockstep/core";

const maxNamed = 5;

/**
 * The transactions that are open, the oldest first, a phrase each: who they are, never what they do. Which of them holds what is waited for the server
 * doesn't tell. @throws what the server refuses: the role may not see other sessions' transactions.
 */
export async function openTransactionsOfOthers(run: RunStatement): Promise<string[]> {
  // The server makes the list anew only when nobody has asked for it for a tenth of a second: who asked before, as this session may have, was told of others.
  await run("DO SLEEP(0.101)");
  const found = await run(`SELECT t.trx_mysql_thread_id AS id, p.USER AS user,
  TIMESTAMPDIFF(SECOND, CONVERT_TZ(t.trx_started, 'SYSTEM', @@SESSION.time_zone), NOW()) AS seconds
  FROM information_schema.INNODB_TRX t LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
  WHERE t.trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) ORDER BY t.trx_started LIMIT ${maxNamed}`);
  return found.map(
    ({ id, user, seconds }) =>
      `connection ${String(id)} (${user === null ? "" : `${JSON.stringify(user)}, `}open for ${String(seconds ?? "?")} s)`,
  );
}
