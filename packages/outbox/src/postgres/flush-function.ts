import { quoteText } from "./quote.js";

/**
 * The flush: one call that turns noted rows into outbox rows.
 *
 * `tables` is a JSON array of `{s, t, r}`: schema, table and rows `[order, 'i' | 'u', key, before?]`. Constraints are checked
 * first, outside the pinned settings: deferred constraints and triggers would make flushed images stale (PROTOCOL.md 9), and
 * the application's own triggers must run with the application's search_path.
 */
export function flushFunctions(s: string): string {
  return `create or replace function ${s}.flush(tables jsonb, traceparent text, origin text) returns integer
language plpgsql as $fn$
begin
  set constraints all immediate;
  return ${s}.flush_pinned(tables, traceparent, origin);
end $fn$;
create or replace function ${s}.flush_pinned(tables jsonb, traceparent text, origin text) returns integer
language plpgsql
${pinnedSettings}
as $fn$
declare
  item jsonb; rel oid; shape ${s}.table_schema; written integer;
  o int[]; p "char"[]; k text[]; m text[]; b text[];
  ords int[]; ops "char"[]; prints text[]; keys text[]; images text[]; befores text[];
begin
  for item in select e from jsonb_array_elements(tables) e loop
    rel := to_regclass(format('%I.%I', item->>'s', item->>'t'));
    if rel is null then
      raise exception 'table %.% does not exist', item->>'s', item->>'t' using errcode = 'undefined_table';
    end if;
    shape := ${s}.shape_of(rel);
    if shape.images = '' then
      raise exception 'table %.% has no primary key', item->>'s', item->>'t' using errcode = 'invalid_table_definition';
    end if;
    execute shape.images into o, p, k, m, b using item->'r';
    if o is not null then
      ords := ords || o; ops := ops || p; keys := keys || k; images := images || m; befores := befores || b;
      prints := prints || array_fill(shape.fingerprint, array[cardinality(o)]);
    end if;
    if coalesce(cardinality(o), 0) < jsonb_array_length(item->'r') then
      execute shape.keys into o, k using item->'r', coalesce(o, '{}');
      if o is not null then
        ords := ords || o; ops := ops || array_fill('d'::"char", array[cardinality(o)]); keys := keys || k;
        images := images || array_fill(null::text, array[cardinality(o)]);
        befores := befores || array_fill(null::text, array[cardinality(o)]);
        prints := prints || array_fill(shape.fingerprint, array[cardinality(o)]);
      end if;
    end if;
  end loop;
  -- Ids are drawn here, above every lock that was waited for: what depends on this transaction has a larger last id.
  insert into ${s}.outbox (seq, op, fingerprint, key, image, before, traceparent, origin)
  select nextval(${quoteText(`${s}.outbox_seq`)}), u.op, u.print, u.key, u.image, u.before, flush_pinned.traceparent, flush_pinned.origin
    from (select * from unnest(ords, ops, prints, keys, images, befores) as f (ord, op, print, key, image, before)
          order by f.ord) u;
  get diagnostics written = row_count;
  return written;
end $fn$;`;
}

/** What the text of a value could depend on. With row_security off a policy that would hide rows is an error instead of a false delete. */
const pinnedSettings = [
  "set DateStyle = 'ISO, MDY'",
  "set TimeZone = 'UTC'",
  "set IntervalStyle = 'postgres'",
  "set extra_float_digits = 1",
  "set bytea_output = 'hex'",
  "set lc_monetary = 'C'",
  "set search_path = pg_catalog, pg_temp",
  "set row_security = off",
].join("\n");
