import { quoteText } from "../quote.js";
import { wakeStatement } from "../wake-up.js";
import type { OutboxNames } from "../outbox-names.js";

const asOwner = "language plpgsql security definer set search_path = pg_catalog, pg_temp";

/** Functions that triggers of all tables share; they are made with the outbox. Pure. */
export function sharedTriggerFunctions(names: OutboxNames): string {
  return [refuseTruncate(names.s), tail(names)].join("\n");
}

/** Statements that remove them. */
export function dropSharedFunctions(s: string): string[] {
  return [
    `drop table if exists ${s}.tail;`,
    `drop function if exists ${s}.refuse_truncate(), ${s}.note_tail(), ${s}.write_tail();`,
  ];
}

/** A partition that is emptied alone: a target, which has one table for all, would be emptied of the others' rows too. */
function refuseTruncate(s: string): string {
  return `create or replace function ${s}.refuse_truncate() returns trigger ${asOwner} as $fn$
begin
  if current_setting('lockstep.truncating', true) is distinct from 'on' then
    raise exception 'TRUNCATE of the partition %.% alone is not captured: DELETE its rows, or TRUNCATE the partitioned table',
      TG_TABLE_SCHEMA, TG_TABLE_NAME using errcode = 'feature_not_supported';
  end if;
  return null;
end $fn$;`;
}

/**
 * Deferred constraints wait for other transactions at the COMMIT, after all ids were drawn: what was waited for could then come later in its tick
 * (PROTOCOL.md 9). So a last row is written when they are through: the first deferred trigger that fires queues another one, behind all that are
 * waiting to be fired, and that one draws an id, for a marker that changes nothing.
 */
function tail({ schema, s, outbox }: OutboxNames): string {
  return `create table if not exists ${s}.tail (xid xid8 not null default pg_current_xact_id());
create or replace function ${s}.note_tail() returns trigger ${asOwner} as $fn$
begin
  if current_setting('lockstep.tail', true) is distinct from 'on' then
    perform set_config('lockstep.tail', 'on', true);
    insert into ${s}.tail default values;
  end if;
  return null;
end $fn$;
create or replace function ${s}.write_tail() returns trigger ${asOwner} as $fn$
begin
  -- Deferred triggers that fire from now on need a marker of their own.
  perform set_config('lockstep.tail', 'off', true);
  delete from ${s}.tail where xid = pg_current_xact_id();
  insert into ${outbox} (op, fingerprint, key)
  select 'b', o.fingerprint, '[]' from ${outbox} o where o.xid = pg_current_xact_id() order by o.seq desc limit 1;
  ${wakeStatement(schema)}
  return null;
end $fn$;
if not exists (select from pg_catalog.pg_trigger where tgrelid = ${quoteText(`${s}.tail`)}::regclass and tgname = 'write_tail') then
  create constraint trigger write_tail after insert on ${s}.tail deferrable initially deferred for each row execute function ${s}.write_tail();
end if;`;
}
