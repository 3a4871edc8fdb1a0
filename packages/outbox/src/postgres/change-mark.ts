import type { ChangeMark, TableSchema, WatchedColumn } from "@lockstep/core";
import { nameOf } from "./flush-call.js";
import { quoteName, quoteText } from "./quote.js";
import type { ReadStatement } from "./reader.js";

/** The source's time: a standby's is that of what it has replayed, as what is newer isn't there yet. */
const clock = `case when pg_is_in_recovery() then coalesce(pg_last_xact_replay_timestamp(), clock_timestamp()) else clock_timestamp() end`;

/**
 * Never above the highest value that is there: whatever clock and time zone the writers have, and however late a row gets here, later writes are above it. Never
 * above the clock: a single value of the far future would hide all changes until then.
 */
export async function mark(rows: ReadStatement, watched: WatchedColumn): Promise<ChangeMark> {
  const { schema, column, kind, overlapMs } = watched;
  const highest = `(select max(t.${quoteName(column)}) from ${nameOf(schema)} t where not (${noNumber(schema, column)}))`;
  const values = {
    timestamp: `(least(m.v, (${clock})${zoneOf(watched)}) - interval '${overlapMs} ms')`,
    number: "m.v",
    "epoch-ms": `(least(m.v, extract(epoch from ${clock}) * 1000) - ${overlapMs})::bigint`,
    "epoch-s": `(least(m.v, extract(epoch from ${clock})) - ${Math.ceil(overlapMs / 1000)})::bigint`,
  };
  // The snapshot is taken before the clock is read: who begins in between is later than the ticket says, which the overlap covers.
  const [row] =
    await rows(`select case when m.v is not null then ${values[kind]}::text end, m.v::text, concat_ws(' ', pg_snapshot_xmax(pg_current_snapshot()), ${writersOf(schema)}),
  (extract(epoch from clock_timestamp()) * 1000)::bigint::text from (select ${highest} as v) m`);
  return { value: row![0]!, highest: row![1]!, ticket: row![2]!, at: Number(row![3]) };
}

/**
 * Transactions that are about to write to the table, seen by every role: an INSERT draws its number before the transaction has an id, and locks the table before that.
 */
function writersOf(schema: TableSchema): string {
  return `(select string_agg(distinct l.virtualtransaction, ' ') from pg_locks l where l.locktype = 'relation' and l.granted
    and l.database = (select d.oid from pg_database d where d.datname = current_database()) and l.relation = to_regclass(${quoteText(nameOf(schema))})
    and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))`;
}

/**
 * The condition that the change value is NaN or infinite, from PostgreSQL 14 on: above every number, so a mark there would hide all that follows. No row is met
 * by it then, as by NULL. Pure.
 */
export function noNumber({ columns }: TableSchema, column: string): string {
  const name = `t.${quoteName(column)}`;
  const highest = `(case when current_setting('server_version_num')::int < 140000 then 'NaN' else 'Infinity' end)::numeric`;
  return columns.find((one) => one.name === column)?.kind === "numeric" ? `${name} >= ${highest}` : "false";
}

/** The session is in UTC. */
function zoneOf({ schema, column }: WatchedColumn): string {
  const zoneless = schema.columns.find(({ name }) => name === column)?.kind === "timestamp";
  return zoneless ? "::timestamp" : "";
}

/**
 * Transactions that had written anything by then stand below the ticket. One that hadn't, but had begun, may still write what its beginning was (now()): where the
 * role may see sessions, those are waited for too, elsewhere the overlap covers them.
 */
export async function ended(rows: ReadStatement, { ticket, at }: ChangeMark): Promise<"ended" | "open"> {
  const [xid = "", ...writers] = ticket.split(" ");
  const [row] = await rows(`select pg_snapshot_xmin(pg_current_snapshot()) >= '${BigInt(xid)}'::xid8
  and not exists (select from pg_locks l where l.virtualtransaction in (${["", ...writers].map(quoteText).join(", ")}))
  and not exists (select from pg_stat_activity a where a.datname = current_database() and a.backend_type = 'client backend'
    and a.pid <> pg_backend_pid() and a.xact_start < to_timestamp(${at / 1000}))`);
  return row![0] === "t" ? "ended" : "open";
}
