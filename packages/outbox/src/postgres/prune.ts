import type { Backlog } from "@lockstep/core";
import type pg from "pg";
import { later } from "../lasting.js";
import type { PruneLimits } from "../retention.js";
import type { OutboxNames } from "./outbox-names.js";

/**
 * Deletes whole ticks that nobody needs: applied by every following target and older than the grace period, or beyond the
 * retention limit. Returns how many events were deleted.
 */
export async function pruneTicks(
  client: pg.ClientBase,
  names: OutboxNames,
  retention: PruneLimits,
  maxTicks: number,
): Promise<number> {
  const { s } = names;
  await client.query("begin isolation level read committed");
  // The lock that registration takes; the bound comes from the registry in the next statement (PROTOCOL.md 20).
  await client.query(`select from ${s}.state for update`);
  const { old, crowded } = await beyondLimit(client, s, retention, maxTicks);
  await client.query(markLagging(s), [String(later(retention.lasting(old), crowded))]);
  // Where nobody follows, nobody is given up.
  const { rows } = await client.query<{ events: string }>(deleteTicks(names), [
    maxTicks,
    retention.graceMs,
    String(later(old, crowded)),
  ]);
  await client.query("commit");
  return Number(rows[0]?.events ?? 0);
}

/** The last of the next ticks that is beyond the retention limit: too old by the source's clock, or with too many events behind it. 0: none. */
async function beyondLimit(
  client: pg.ClientBase,
  s: string,
  { maxAgeMs, maxEvents }: PruneLimits,
  maxTicks: number,
): Promise<{ readonly old: bigint; readonly crowded: bigint }> {
  const { rows } = await client.query<{ old: string; crowded: string }>(
    `select coalesce(max(k.n) filter (where k.at < clock_timestamp() - $2 * interval '1 millisecond'), 0) as old,
       coalesce(max(k.n) filter (where k.total < (select total from ${s}.tick order by n desc limit 1) - $3), 0) as crowded
  from (select k.* from ${s}.tick k, ${s}.state where k.n > pruned_through order by k.n limit $1) k`,
    [maxTicks, maxAgeMs, maxEvents],
  );
  return { old: BigInt(rows[0]!.old), crowded: BigInt(rows[0]!.crowded) };
}

function markLagging(s: string): string {
  return `update ${s}.target t set state = 'needs-backfill'
  from ${s}.tick k where k.n = t.tick + (t.n >= (select c.events from ${s}.tick c where c.n = t.tick))::int
   and t.state = 'following' and k.n <= $1`;
}

/**
 * By range, with a lower bound too: without it the delete walks over the dead index entries of all earlier deletes. Rows of
 * transactions that were in progress at the bound's tick belong to later ticks and stay.
 */
function deleteTicks({ s, outbox }: OutboxNames): string {
  return `with following as (
  select min(case when t.n >= k.events then t.tick else t.tick - 1 end) as n
    from ${s}.target t left join ${s}.tick k on k.n = t.tick where t.state = 'following'
), aged as (
  select max(k.n) as n from (select k.* from ${s}.tick k, ${s}.state where k.n > pruned_through order by k.n limit $1) k
   where k.at < clock_timestamp() - $2 * interval '1 millisecond'
), bound as (
  select k.n, k.snapshot, k.total, p.snapshot as before, s.pruned_total
    from ${s}.state s join ${s}.tick p on p.n = s.pruned_through
    join ${s}.tick k on k.n > s.pruned_through and k.n = (
      select case when following.n is null then $3::bigint
                  when following.n < aged.n then following.n else aged.n end from following, aged)
), gone as (
  delete from ${outbox} o using bound b
   where o.xid >= pg_snapshot_xmin(b.before) and o.xid < pg_snapshot_xmax(b.snapshot)
     and pg_visible_in_snapshot(o.xid, b.snapshot)
), ticks as (
  delete from ${s}.tick k using bound b where k.n < b.n
), kept as (
  update ${s}.state set pruned_through = b.n, pruned_total = b.total from bound b
)
select total - pruned_total as events from bound`;
}

/** What is not yet applied everywhere, from the counters of ticks. Without targets: what is not yet pruned. */
export async function backlogOf(client: pg.ClientBase, s: string): Promise<Backlog> {
  const { rows } = await client.query<{ events: string; oldest: string | null }>(`with lowest as (
  select t.tick, t.n from ${s}.target t where t.state = 'following' order by t.tick, t.n limit 1
), done as (
  select coalesce((select k.total - k.events + least(l.n, k.events) from lowest l join ${s}.tick k on k.n = l.tick), max(pruned_total)) as total
    from ${s}.state
)
select (select total from ${s}.tick order by n desc limit 1) - done.total as events,
       (select (extract(epoch from clock_timestamp() - k.at) * 1000)::bigint from ${s}.tick k
         where k.n >= (select coalesce((select tick from lowest), max(pruned_through)) from ${s}.state) and k.total > done.total
         order by k.n limit 1) as oldest
  from done`);
  return { events: Number(rows[0]?.events ?? 0), oldestMs: Math.max(0, Number(rows[0]?.oldest ?? 0)) };
}
