import type { OutboxNames } from "./outbox-names.js";
import { changesOf } from "./packed.js";

/**
 * A tick is a stored snapshot; its events are those visible in it and not in the one before (as in PgQ), so a tick holds whole
 * transactions and never changes. They are found without reading what was read before: above the previous snapshot's xmax, and
 * among the transactions that were in progress then.
 */
export function tickFunctions(names: OutboxNames): string {
  const { s } = names;
  return [firstTick(s), unread(names), captured(s), cut(names)].join("\n");
}

// Its snapshot shows nothing: whatever is in the outbox belongs to tick 1 or later.
function firstTick(s: string): string {
  return `insert into ${s}.tick (n, snapshot, events, total) values (0, '3:3:', 0, 0) on conflict do nothing;`;
}

/** Whether anything is visible now that no tick has. */
function unread({ s, outbox }: OutboxNames): string {
  return `create or replace function ${s}.unread() returns boolean language plpgsql as $fn$
declare previous pg_snapshot;
begin
  select t.snapshot into previous from ${s}.tick t order by t.n desc limit 1;
  return exists (select from ${outbox} o where o.xid >= pg_snapshot_xmax(previous))
      or exists (select from ${outbox} o where o.xid = any (array(select pg_snapshot_xip(previous))));
end $fn$;`;
}

/** How the source is captured, as one text; and whether what is in the outbox now is for another log to give. */
function captured(s: string): string {
  return `create or replace function ${s}.captured(out captured text, out is_closed boolean) language plpgsql as $fn$
begin
  -- Not in SQL: what is asked at every cut would be planned at every cut.
  select concat_ws(' ', coalesce(k.capture, '-'), coalesce(k.capture_from, '-'), coalesce(k.capture_stage, '-')),
         coalesce(k.capture_stage = 'turned' or case when k.capture_stage is null then k.capture else k.capture_from end in ('wal', 'binlog'), false)
    into captured, is_closed from ${s}.state k;
end $fn$;`;
}

/**
 * Writes the next tick when anything is unread. One statement per step: under READ COMMITTED each sees what was committed before
 * it began. The lock and the snapshot in one statement would invert the order of two relays' ticks (PROTOCOL.md 5).
 */
function cut({ s, outbox }: OutboxNames): string {
  const changes = `select ${changesOf("o")} as n from ${outbox} o`;
  return `-- Of older formats: what a function gives can't be changed.
drop function if exists ${s}.cut();
create or replace function ${s}.cut(out tick bigint, out events bigint, out total bigint,
  out previous pg_snapshot, out snapshot pg_snapshot, out went_back boolean, out captured text, out rows bigint) language plpgsql as $fn$
declare last_tick ${s}.tick; is_closed boolean;
begin
  select c.captured into captured from ${s}.captured() c;
  if not ${s}.unread() then
    return;
  end if;
  perform from ${s}.tick t order by t.n desc limit 1 for update;
  -- Asked again behind the lock, which a change of the capture takes too: from then on the rest is another log's.
  select c.captured, c.is_closed into captured, is_closed from ${s}.captured() c;
  if is_closed then
    return;
  end if;
  select t.* into last_tick from ${s}.tick t order by t.n desc limit 1;
  snapshot := pg_current_snapshot();
  previous := last_tick.snapshot;
  went_back := pg_snapshot_xmin(snapshot) < pg_snapshot_xmin(previous)
            or pg_snapshot_xmax(snapshot) < pg_snapshot_xmax(previous);
  if went_back then
    return;
  end if;
  select coalesce(sum(c.n), 0), count(*) into events, rows from (
    ${changes} where o.xid >= pg_snapshot_xmax(previous) and o.xid < pg_snapshot_xmax(snapshot) and pg_visible_in_snapshot(o.xid, snapshot)
    union all
    ${changes} where o.xid = any (array(select pg_snapshot_xip(previous))) and pg_visible_in_snapshot(o.xid, snapshot)) c;
  if events = 0 then
    return;
  end if;
  tick := last_tick.n + 1;
  total := last_tick.total + events;
  insert into ${s}.tick (n, snapshot, events, total) values (tick, snapshot, events, total);
end $fn$;`;
}
