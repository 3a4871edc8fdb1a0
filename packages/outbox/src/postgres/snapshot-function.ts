import { pinnedForConditions } from "./pinned-settings.js";
import { quoteText } from "./quote.js";
import { wakeStatement } from "./wake-up.js";
import type { OutboxNames } from "./outbox-names.js";

/**
 * Existing rows as events: `append_snapshot` writes a run of them by primary key, `snapshot_end` says where a table ends now, `absent_keys` which
 * of some keys no row has.
 */
export function snapshotFunctions(names: OutboxNames): string {
  const { schema, s } = names;
  return [keyParts(s), appendSnapshot(names, wakeStatement(schema)), snapshotEnd(s), absentKeys(s)].join(
    "\n",
  );
}

/** Removes them. */
export function dropSnapshotFunctions(s: string): string {
  return `drop function if exists ${s}.append_snapshot(text, jsonb, jsonb, int, text, text, text, text), ${s}.snapshot_end(text),
  ${s}.absent_keys(text, jsonb), ${s}.key_parts(oid, text);`;
}

/** How a table's key is written: its columns of a row named t, the same backwards, and a key that the expression `given` has as a JSON array. */
function keyParts(s: string): string {
  return `create or replace function ${s}.key_parts(rel oid, given text, out columns text, out backwards text, out key text)
language sql stable as $fn$
  select string_agg(format('t.%I', a.attname), ', ' order by k.n), string_agg(format('t.%I desc', a.attname), ', ' order by k.n),
         string_agg(format('(%s->>%s)::%s', given, k.n - 1, format_type(a.atttypid, -1)), ', ' order by k.n)
    from pg_catalog.pg_index i, unnest(i.indkey) with ordinality k(attnum, n), pg_catalog.pg_attribute a
   where i.indrelid = rel and i.indisprimary and k.n <= i.indnkeyatts and a.attrelid = rel and a.attnum = k.attnum
$fn$;`;
}

/**
 * The run's end is looked up first, by the primary key alone: a row whose key another session changes meanwhile is read under its new
 * key, and must not carry the run's end along. Everything is read, and every lock waited for, before the first id is drawn (PROTOCOL.md 8).
 */
function appendSnapshot({ s, outbox }: OutboxNames, wake: string): string {
  return `create or replace function ${s}.append_snapshot(name text, after jsonb, through jsonb, wanted int, condition text,
  traceparent text, origin text, audience text, out written bigint, out bytes bigint, out last text) language plpgsql ${pinnedForConditions} as $fn$
declare shape ${s}.table_schema := ${s}.shape_named(name); cols text; begins text; ends text;
begin
  select p.columns, case when after is null then 'true' else format('(%s) > (%s)', p.columns, p.key) end
    into cols, begins from ${s}.key_parts(shape.rel, '$1') p;
  select p.key into ends from ${s}.key_parts(shape.rel, '$2') p;
  execute format('select array_to_json(array[%s])::text from %s t where %s and (%s) < (%s) order by %s offset $3 - 1 limit 1',
    shape.key_cells, name, begins, cols, ends, cols) into last using after, through, wanted;
  execute format('with rows as materialized (select array_to_json(array[%s])::text as key, array_to_json(array[%s])::text as image
    from %s t where %s and (%s) <= (%s) and (%s) order by %s for share of t),
  written as (insert into ${outbox} (seq, op, fingerprint, key, image, traceparent, origin, audience)
    select nextval(%L), ''s'', $3, r.key, r.image, $4, $5, $6 from rows r returning octet_length(key) + octet_length(image) as bytes)
  select count(*), coalesce(sum(bytes), 0) from written', shape.key_cells, shape.cells, name, begins, cols, ends,
    coalesce(condition, 'true') || E'\\n', cols, ${quoteText(`${s}.outbox_seq`)})
    into written, bytes using after, coalesce(last::jsonb, through), shape.fingerprint, traceparent, origin, audience;
  ${wake}
end $fn$;`;
}

function snapshotEnd(s: string): string {
  return `create or replace function ${s}.snapshot_end(name text) returns text language plpgsql ${pinnedForConditions} as $fn$
declare shape ${s}.table_schema := ${s}.shape_named(name); last text;
begin
  execute format('select array_to_json(array[%s])::text from %s t order by %s limit 1', shape.key_cells, name,
    (select p.backwards from ${s}.key_parts(shape.rel, '') p)) into last;
  return last;
end $fn$;`;
}

/** Places, counted from 1, of the keys that no committed row has. */
function absentKeys(s: string): string {
  return `create or replace function ${s}.absent_keys(name text, given jsonb) returns setof int language plpgsql ${pinnedForConditions} as $fn$
declare shape ${s}.table_schema := ${s}.shape_named(name); cols text; key text;
begin
  select p.columns, p.key into cols, key from ${s}.key_parts(shape.rel, 'k.e') p;
  return query execute format('select k.n::int from jsonb_array_elements($1) with ordinality k(e, n)
    where not exists (select from %s t where (%s) = (%s)) order by k.n', name, cols, key) using given;
end $fn$;`;
}
