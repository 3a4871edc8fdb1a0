import { setTimeout as sleep } from "node:timers/promises";
import {
  LockstepError,
  type LogEnd,
  type OutboxHandOver,
  packLetter,
  positionOf,
  splitPosition,
} from "@lockstep/core";
import { barrierKey, endKey } from "../kept-capture.js";
import { fingerprintOf, keyOfLine, linesOf } from "./packed.js";
import { quoteText } from "./quote.js";
import { lockOf } from "./wake-up.js";
import type { OutboxNames } from "./outbox-names.js";

const lockNotAvailable = "55P03";
const deadlockDetected = "40P01";
const askEveryMs = 100;

/** The part of an outbox in a PostgreSQL database. */
export function postgresHandOver({ s, outbox }: OutboxNames): OutboxHandOver {
  const event = (key: string): string =>
    `insert into ${outbox} (op, fingerprint, key) values ('b', '', ${quoteText(key)})`;
  const lock = lockOf(`capture ${s}`);
  return {
    async alone(run, waitMs, work) {
      const until = performance.now() + waitMs;
      const take = `select pg_try_advisory_lock(${lock}) as got`;
      while ((await run(take))[0]?.["got"] !== true) {
        if (performance.now() >= until) return undefined;
        await sleep(askEveryMs);
      }
      try {
        return { result: await work() };
      } finally {
        // A session that can't say so has ended, and its lock with it.
        await run(`select pg_advisory_unlock(${lock})`).catch(() => undefined);
      }
    },
    async hold(run, lockTimeoutMs, work) {
      await run("begin isolation level read committed");
      try {
        await run(`set local lock_timeout = ${lockTimeoutMs}`);
        await run("set local synchronous_commit = on");
        // In the order in which pruning and cutting take them. The last: who has written here is waited for, who is about to waits.
        await run(`select from ${s}.state for update`);
        await run(`select from ${s}.tick order by n desc limit 1 for update`);
        await run(`lock table ${outbox} in share row exclusive mode`);
        const result = await work();
        await run("commit");
        return { result };
      } catch (error) {
        await run("rollback");
        if (isBusy(error)) return undefined;
        throw error;
      }
    },
    async cutLast(run): Promise<LogEnd> {
      const [cut] = await run(`select went_back from ${s}.cut()`);
      if (cut?.["went_back"] === true) {
        throw new LockstepError("SNAPSHOT_WENT_BACK", "the source's snapshot is older than the last tick's");
      }
      const [row] = await run(
        `select t.n::text as n, t.events::text as events, t.total::text as total from ${s}.tick t order by t.n desc limit 1`,
      );
      const end = positionOf(BigInt(String(row?.["n"])), BigInt(String(row?.["events"])));
      return { end, total: Number(row?.["total"]) };
    },
    async markEnd(run) {
      await run(event(endKey));
      // The mark too: it has been logged, and here it would be an event of the next tick.
      await run(`delete from ${outbox}`);
    },
    async goOn(run, { end, total }) {
      const { tick, n } = splitPosition(end);
      await run(`delete from ${s}.tick where n < ${tick}`);
      // A snapshot that shows nothing: whatever is in the outbox now was written behind the end, and belongs to the next tick.
      await run(
        `insert into ${s}.tick (n, snapshot, events, total) values (${tick}, '3:3:', ${n}, ${total})`,
      );
      await run(`update ${s}.state set pruned_through = ${tick}, pruned_total = ${total}`);
    },
    async writeBarrier(run) {
      await run(event(barrierKey));
    },
    async reach(run) {
      const [row] = await run(`select (max(n) + 1)::text as n from ${s}.tick`);
      return BigInt(String(row?.["n"]));
    },
    async behind(run, position) {
      const { tick, n } = splitPosition(position);
      const rows = await run(`select name, partition, tick::text as tick, n::text as n from ${s}.target
 where state = 'following' and (tick, n) < (${tick}, ${n}) order by name, partition`);
      return rows.map(
        (row) => `${row["name"]} (partition ${row["partition"]}) is at ${row["tick"]}-${row["n"]}`,
      );
    },
    async seenByTriggersAlone(run, windowMs) {
      const rows =
        await run(`select format('%I.%I', k.definition->>'namespace', k.definition->>'name') as name
  from (select c.fingerprint from ${outbox} o cross join lateral (
          select ${fingerprintOf("o")} as fingerprint, o.key where o.op in ('i', 'u', 'd')
          union all
          select ${fingerprintOf("o")}, ${keyOfLine("l.line")} from ${linesOf("o.image")} where o.op = '${packLetter}') c
         where o.at >= clock_timestamp() - ${windowMs} * interval '1 millisecond'
         group by c.fingerprint, o.xid, c.key having count(*) = 1) o
  join ${s}.table_schema k using (fingerprint) group by 1 order by 1`);
      return rows.map((row) => String(row["name"]));
    },
    async liveJobs(run) {
      const rows = await run(
        `select kind, id::text as id, state from ${s}.job where state in ('running', 'paused') order by job.id`,
      );
      return rows.map((row) => `${row["kind"]} ${row["id"]} (${row["state"]})`);
    },
    async inTransaction(run, work) {
      await run("begin isolation level read committed");
      try {
        await run("set local synchronous_commit = on");
        await run(`select from ${s}.state for update`);
        await work();
        await run("commit");
      } catch (error) {
        await run("rollback");
        throw error;
      }
    },
  };
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    [lockNotAvailable, deadlockDetected].includes(String(error.code))
  );
}
