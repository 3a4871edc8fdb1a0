import { type LogEnd, type OutboxHandOver, positionOf, splitPosition } from "@lockstep/core";
import { barrierKey, endKey } from "../kept-capture.js";
import type { TableNames } from "./ddl.js";
import { quoteText } from "./quote.js";

const lockWaitTimeout = 1205;
const deadlock = 1213;

/** The part of an outbox in a MySQL or MariaDB database. */
export function mysqlHandOver(names: TableNames): OutboxHandOver {
  const { outbox, state, tick: ticks, target, tableSchema, job } = names;
  // Locks are the server's, not the database's, and their names are short.
  const lock = `CONCAT('lockstep ', LEFT(SHA2(CONCAT(DATABASE(), ' ', ${quoteText(`capture ${state}`)}), 256), 40))`;
  const event = (key: string): string =>
    `INSERT INTO ${outbox} (at, op, fingerprint, row_key, ends_tx, tx) VALUES (UTC_TIMESTAMP(6), 'b', '', ${quoteText(key)}, TRUE, UUID())`;
  return {
    async alone(run, waitMs, work) {
      const [row] = await run(`SELECT GET_LOCK(${lock}, ${Math.ceil(waitMs / 1000)}) AS got`);
      if (Number(row?.["got"]) !== 1) return undefined;
      try {
        return { result: await work() };
      } finally {
        // A session that can't say so has ended, and its lock with it.
        await run(`DO RELEASE_LOCK(${lock})`).catch(() => undefined);
      }
    },
    async hold(run, lockTimeoutMs, work) {
      await run(`SET SESSION innodb_lock_wait_timeout = ${Math.ceil(lockTimeoutMs / 1000)}`);
      // Under REPEATABLE READ a locking read locks the gaps too: no row can come into the outbox any more.
      await run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await run("START TRANSACTION");
      try {
        // In the order in which pruning and cutting take them. The last: who has written here is waited for, who is about to waits.
        await run(`SELECT 1 FROM ${state} FOR UPDATE`);
        await run(`SELECT n FROM ${ticks} ORDER BY n DESC LIMIT 1 FOR UPDATE`);
        await run(`SELECT COUNT(*) FROM ${outbox} FORCE INDEX (PRIMARY) WHERE id >= 0 FOR UPDATE`);
        const result = await work();
        await run("COMMIT");
        return { result };
      } catch (error) {
        await run("ROLLBACK");
        if (isBusy(error)) return undefined;
        throw error;
      }
    },
    async cutLast(run): Promise<LogEnd> {
      const [row] = await run(
        `SELECT CAST(t.n AS CHAR) AS n, CAST(t.events AS CHAR) AS events, CAST(t.total AS CHAR) AS total FROM ${ticks} t ORDER BY t.n DESC LIMIT 1`,
      );
      const [n, events] = [BigInt(String(row?.["n"])), BigInt(String(row?.["events"]))];
      const total = Number(row?.["total"]);
      const [left] = await run(
        `SELECT COUNT(*) AS events, COALESCE(SUM(tx IS NULL), 0) AS unknown FROM ${outbox} WHERE tick = 0`,
      );
      const uncut = Number(left?.["events"]);
      if (uncut === 0) return { end: positionOf(n, events), total };
      // By condition: nobody else can write a row that it might meet.
      await run(`UPDATE ${outbox} SET tick = ${n + 1n} WHERE tick = 0`);
      await run(`INSERT INTO ${ticks} (n, at, events, total, atomic)
  VALUES (${n + 1n}, UTC_TIMESTAMP(6), ${uncut}, ${total + uncut}, ${Number(left?.["unknown"]) > 0})`);
      return { end: positionOf(n + 1n, uncut), total: total + uncut };
    },
    async markEnd(run) {
      await run(event(endKey));
      // The mark too: it has been logged, and here it would be an event of the next tick.
      await run(`DELETE FROM ${outbox}`);
    },
    async goOn(run, { end, total }) {
      const { tick, n } = splitPosition(end);
      await run(`DELETE FROM ${ticks} WHERE n < ${tick}`);
      // Whatever is in the outbox now was written behind the end, and is in no tick yet.
      await run(
        `INSERT INTO ${ticks} (n, at, events, total, atomic) VALUES (${tick}, UTC_TIMESTAMP(6), ${n}, ${total}, 0)`,
      );
      await run(`UPDATE ${state} SET pruned_through = ${tick}, pruned_total = ${total}`);
    },
    async writeBarrier(run) {
      await run(event(barrierKey));
    },
    async reach(run) {
      const [row] = await run(`SELECT CAST(MAX(n) + 1 AS CHAR) AS n FROM ${ticks}`);
      return BigInt(String(row?.["n"]));
    },
    async behind(run, position) {
      const { tick, n } = splitPosition(position);
      const rows =
        await run(`SELECT name AS name, \`partition\` AS part, CAST(tick AS CHAR) AS tick, CAST(n AS CHAR) AS n FROM ${target}
  WHERE state = 'following' AND (tick < ${tick} OR (tick = ${tick} AND n < ${n})) ORDER BY name, part`);
      return rows.map((row) => `${row["name"]} (partition ${row["part"]}) is at ${row["tick"]}-${row["n"]}`);
    },
    async seenByTriggersAlone(run, windowMs) {
      // Rows of triggers name no transaction.
      const rows =
        await run(`SELECT DISTINCT CONCAT(JSON_UNQUOTE(JSON_EXTRACT(k.definition, '$.namespace')), '.',
    JSON_UNQUOTE(JSON_EXTRACT(k.definition, '$.name'))) AS name
  FROM ${outbox} o JOIN ${tableSchema} k ON k.fingerprint = o.fingerprint
 WHERE o.tx IS NULL AND o.at >= UTC_TIMESTAMP(6) - INTERVAL ${windowMs * 1000} MICROSECOND
   AND NOT EXISTS (SELECT 1 FROM (SELECT fingerprint, row_key FROM ${outbox} WHERE tx IS NOT NULL) n
                    WHERE n.fingerprint = o.fingerprint AND n.row_key = o.row_key)
 ORDER BY name`);
      return rows.map((row) => String(row["name"]));
    },
    async liveJobs(run) {
      const rows = await run(
        `SELECT kind AS kind, CAST(id AS CHAR) AS id, state AS state FROM ${job} WHERE state IN ('running', 'paused') ORDER BY ${job}.id`,
      );
      return rows.map((row) => `${row["kind"]} ${row["id"]} (${row["state"]})`);
    },
    async inTransaction(run, work) {
      await run("START TRANSACTION");
      try {
        await run(`SELECT 1 FROM ${state} FOR UPDATE`);
        await work();
        await run("COMMIT");
      } catch (error) {
        await run("ROLLBACK");
        throw error;
      }
    },
  };
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && "errno" in error && [lockWaitTimeout, deadlock].includes(Number(error.errno))
  );
}
