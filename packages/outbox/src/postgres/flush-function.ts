import { quoteName, quoteText } from "./quote.js";
import { wakeStatement } from "./wake-up.js";

/**
 * The flush: one call that turns noted rows into outbox rows.
 *
 * Each entry point checks constraints first, outside the pinned settings: deferred constraints and triggers would make flushed
 * images stale (PROTOCOL.md 9), and the application's own triggers must run with the application's search_path.
 */
export function flushFunctions(schema: string): string {
  const s = quoteName(schema);
  const wake = wakeStatement(schema);
  return [flushMixed(s, wake), flushRuns(s, wake), flushRow(s, wake)].join("\n");
}

/** What the text of a value could depend on, and what keeps the plans of the flush on the primary key. */
const pinnedSettings = `set DateStyle = 'ISO, MDY' set TimeZone = 'UTC' set IntervalStyle = 'postgres' set extra_float_digits = 1
set bytea_output = 'hex' set lc_monetary = 'C' set quote_all_identifiers = off set search_path = pg_catalog, pg_temp
-- A policy that would hide rows is an error instead of a false delete.
set row_security = off
-- The noted rows are found by key: a scan of the whole table is never the better plan, whatever the statistics say.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off`;

/** `runs`: JSON array of `{t, r}` in the order of notes: quoted table name and its rows `[order, 'i' | 'u', key]`. */
function flushRuns(s: string, wake: string): string {
  return `create or replace function ${s}.flush_runs(runs jsonb, traceparent text, origin text) returns integer
language plpgsql as $fn$
begin
  set constraints all immediate;
  return ${s}.flush_runs_pinned(runs, traceparent, origin);
end $fn$;
create or replace function ${s}.flush_runs_pinned(runs jsonb, traceparent text, origin text) returns integer
language plpgsql ${pinnedSettings} as $fn$
declare
  run jsonb; relation oid; current text; found_inserts text; found_deletes text; shape ${s}.table_schema;
  given integer; written integer; total integer := 0;
begin
  for run in select e from jsonb_array_elements(runs) e loop
    relation := to_regclass(run->>'t');
    current := case when relation is not null then ${s}.catalog_version(relation) end;
    select x.inserts, x.deletes into found_inserts, found_deletes
      from ${s}.table_schema x where x.rel = relation and x.version = current limit 1;
    if found_inserts is null or found_inserts = '' then
      shape := ${s}.shape_named(run->>'t');
      found_inserts := shape.inserts;
      found_deletes := shape.deletes;
    end if;
    given := jsonb_array_length(run->'r');
    -- Ids are drawn above the locks of this run, so the last ones are drawn above every lock that was waited for.
    execute found_inserts using run->'r', traceparent, origin;
    get diagnostics written = row_count;
    total := total + written;
    if written < given then
      execute found_deletes using run->'r', traceparent, origin;
      get diagnostics written = row_count;
      total := total + written;
    end if;
  end loop;
  ${wake}
  return total;
end $fn$;`;
}

/**
 * Where keys change or tables take turns row by row: everything is read first and then written in order.
 * `tables`: JSON array of `{t, b, r}`: quoted table name, whether keys changed, and rows `[order, 'i' | 'u', key, before?]`.
 */
function flushMixed(s: string, wake: string): string {
  return `create or replace function ${s}.flush(tables jsonb, traceparent text, origin text) returns integer
language plpgsql as $fn$
begin
  set constraints all immediate;
  return ${s}.flush_pinned(tables, traceparent, origin);
end $fn$;
create or replace function ${s}.flush_pinned(tables jsonb, traceparent text, origin text) returns integer
language plpgsql ${pinnedSettings} as $fn$
declare
  item jsonb; shape ${s}.table_schema; written integer;
  o int[]; p "char"[]; k text[]; m text[]; b jsonb;
  ords int[]; ops "char"[]; prints text[]; keys text[]; images text[]; befores jsonb := '{}';
begin
  for item in select e from jsonb_array_elements(tables) e loop
    shape := ${s}.shape_named(item->>'t');
    execute shape.images into o, p, k, m using item->'r';
    if o is not null then
      ords := ords || o; ops := ops || p; keys := keys || k; images := images || m;
      prints := prints || array_fill(shape.fingerprint, array[cardinality(o)]);
    end if;
    if item->>'b' is not null then
      execute shape.befores into b using item->'r';
      befores := befores || coalesce(b, '{}');
    end if;
    continue when cardinality(o) = jsonb_array_length(item->'r');
    execute shape.keys into o, k using item->'r', coalesce(o, '{}');
    continue when o is null;
    ords := ords || o; ops := ops || array_fill('d'::"char", array[cardinality(o)]); keys := keys || k;
    images := images || array_fill(null::text, array[cardinality(o)]);
    prints := prints || array_fill(shape.fingerprint, array[cardinality(o)]);
  end loop;
  -- Ids are drawn here, above every lock that was waited for: what depends on this transaction has a larger last id.
  insert into ${s}.outbox (seq, op, fingerprint, key, image, before, traceparent, origin)
  select nextval(${quoteText(`${s}.outbox_seq`)}), u.op, u.print, u.key, u.image,
         case when u.op <> 'd' then befores->>u.ord::text end, flush_pinned.traceparent, flush_pinned.origin
    from (select * from unnest(ords, ops, prints, keys, images) as f (ord, op, print, key, image) order by f.ord) u;
  get diagnostics written = row_count;
  ${wake}
  return written;
end $fn$;`;
}

/** The same for a transaction that touched one row, as most do. */
function flushRow(s: string, wake: string): string {
  return `create or replace function ${s}.flush_row(name text, op text, key jsonb, traceparent text, origin text)
returns integer language plpgsql as $fn$
begin
  set constraints all immediate;
  return ${s}.flush_row_pinned(name, op, key, traceparent, origin);
end $fn$;
create or replace function ${s}.flush_row_pinned(name text, op text, given jsonb, traceparent text, origin text)
returns integer language plpgsql ${pinnedSettings} as $fn$
declare
  relation oid := to_regclass(name); current text; print text; one text; k text; m text;
begin
  if relation is not null then
    current := ${s}.catalog_version(relation);
    select x.fingerprint, x.image into print, one from ${s}.table_schema x where x.rel = relation and x.version = current limit 1;
  end if;
  if print is not null and one <> '' then
    execute one into k, m using given;
  end if;
  if k is null then
    -- Gone, or a table not yet described: the way for many rows knows what to do.
    return ${s}.flush_runs_pinned(jsonb_build_array(jsonb_build_object('t', name, 'r',
      jsonb_build_array(jsonb_build_array(1, op, given)))), traceparent, origin);
  end if;
  insert into ${s}.outbox (seq, op, fingerprint, key, image, traceparent, origin)
  values (nextval(${quoteText(`${s}.outbox_seq`)}), op::"char", print, k, m, traceparent, origin);
  ${wake}
  return 1;
end $fn$;`;
}
