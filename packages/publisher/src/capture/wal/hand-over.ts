import { splitPosition } from "@lockstep/core";
import { quoteName } from "@lockstep/outbox/postgres";
import { logTooYoung } from "../log-too-young.js";
import type { LogHandOver } from "../source-capture.js";

// Of what is committed so far everything lies below, durable or not.
const here = "(pg_current_wal_insert_lsn() - '0/0')::bigint";

/** The write-ahead log's part when a source changes to it or from it. */
export function walHandOver(schema: string): LogHandOver {
  const s = quoteName(schema);
  return {
    async begin(run, { end, total }) {
      const { tick, n } = splitPosition(end);
      // Of tables that are older than this.
      await run(`alter table ${s}.wal alter column incarnation drop not null`);
      // The slot is a little older: what was committed since then, and is in the outbox, isn't sent from there on. The history stays the outbox's.
      const begun =
        await run(`update ${s}.wal set incarnation = (select history from ${s}.state), confirmed = h.lsn,
  pruned_tick = ${tick}, pruned_n = ${n}, markers = jsonb_build_array(jsonb_build_array(h.lsn::text, ${total}, ${Number.MAX_SAFE_INTEGER}))
  from (select ${here} as lsn) h where h.lsn > ${tick} returning slot`);
      if (begun.length === 0) throw logTooYoung();
    },
    async leave(run) {
      await run(`update ${s}.state set history = (select incarnation from ${s}.wal)`);
      const [row] = await run(
        `select greatest(pruned_total, (select max((m->>1)::bigint) from ${s}.wal, jsonb_array_elements(markers) m))::text as total from ${s}.state`,
      );
      return Number(row?.["total"] ?? 0);
    },
    async reach(run) {
      const [row] = await run(`select ${here}::text as lsn`);
      return BigInt(String(row?.["lsn"]));
    },
  };
}
