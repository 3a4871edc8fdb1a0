import { lineOf, packedInsert } from "./packed.js";
import { pinnedSettings } from "./pinned-settings.js";
import { quoteText } from "./quote.js";
import { wakeStatement } from "./wake-up.js";
import type { OutboxNames } from "./outbox-names.js";

/** Behind a statement that reads rows named `t`: as they are now, and so that nobody changes them before the transaction ends. */
export const locked = " for share of t";

/**
 * The flush: one call that turns noted rows into outbox rows.
 *
 * Each entry point checks constraints first, outside the pinned settings: deferred constraints and triggers would make flushed
 * images stale (PROTOCOL.md 9), and the application's own triggers must run with the application's search_path.
 */
export function flushFunctions(names: OutboxNames): string {
  const wake = wakeStatement(names.schema);
  return [flushMany(names, wake, false), flushMany(names, wake, true), flushRow(names, wake)].join("\n");
}

/**
 * Everything is read first and then written in the order of notes, across tables.
 * `tables`: JSON array of `{t, b, r}`: quoted table name, whether keys changed, and rows `[order, 'i' | 'u' | 'U', key, before?]`; 'U': an
 * update, if the row is there. `flush_for` writes for an audience: a function of its own, as processes of an older version call the other one.
 */
function flushMany({ s, outbox }: OutboxNames, wake: string, hasAudience: boolean): string {
  const name = hasAudience ? "flush_for" : "flush";
  const [declared, given, column, value] = hasAudience
    ? [", audience text", ", audience", ", audience", ", flush_for_pinned.audience"]
    : ["", "", "", ""];
  const each = `insert into ${outbox} (seq, op, fingerprint, key, image, before, traceparent, origin${column})
  select nextval(${quoteText(`${s}.outbox_seq`)}), u.op, u.print, u.key, u.image,
         case when u.op <> 'd' then befores->>u.ord::text end, ${name}_pinned.traceparent, ${name}_pinned.origin${value}
    from (select * from unnest(ords, ops, prints, keys, images) as f (ord, op, print, key, image) order by f.ord) u`;
  const packed = packedInsert({
    outbox,
    lines: `select ${lineOf("u.op::text", "u.key", "coalesce(u.image, '')")} as line
      from (select * from unnest(ords, ops, keys, images) as f (ord, op, key, image) order by f.ord) u`,
    fingerprint: "prints[1]",
    traceparent: `${name}_pinned.traceparent`,
    origin: `${name}_pinned.origin`,
  });
  // What is for some targets only is rarely many rows, and never in an application's way.
  const write = hasAudience
    ? each
    : `if befores = '{}' and prints[1] = all (prints) then ${packed}; else ${each}; end if`;
  return `create or replace function ${s}.${name}(tables jsonb, traceparent text, origin text${declared}) returns integer
language plpgsql as $fn$
begin
  set constraints all immediate;
  return ${s}.${name}_pinned(tables, traceparent, origin${given});
end $fn$;
create or replace function ${s}.${name}_pinned(tables jsonb, traceparent text, origin text${declared}) returns integer
language plpgsql ${pinnedSettings} as $fn$
declare
  item jsonb; relation oid; current text; print text; image_query text; shape ${s}.table_schema;
  o int[]; p "char"[]; k text[]; m text[]; b jsonb;
  ords int[]; ops "char"[]; prints text[]; keys text[]; images text[]; befores jsonb := '{}';
begin
  for item in select e from jsonb_array_elements(tables) e loop
    relation := to_regclass(item->>'t');
    current := case when relation is not null then ${s}.catalog_version(relation) || ' ' || (item->>'t') end;
    -- Two columns of it: the whole row is copied at each assignment, and is needed only where something is gone or has moved.
    select x.fingerprint, x.images into print, image_query
      from ${s}.table_schema x where x.rel = relation and x.version = current limit 1;
    if image_query is null or image_query = '' then
      shape := ${s}.shape_named(item->>'t');
      if shape.images = '' then
        raise exception 'table % has no primary key', item->>'t' using errcode = 'invalid_table_definition';
      end if;
      print := shape.fingerprint;
      image_query := shape.images;
    end if;
    execute 'select array_agg(f.ord), array_agg(f.op), array_agg(f.key), array_agg(f.image) from (' || image_query || '${locked}) f'
      into o, p, k, m using item->'r';
    if o is not null then
      ords := ords || o; ops := ops || p; keys := keys || k; images := images || m;
      prints := prints || array_fill(print, array[cardinality(o)]);
    end if;
    if item->>'b' is not null then
      shape := ${s}.shape_named(item->>'t');
      execute shape.befores into b using item->'r';
      befores := befores || coalesce(b, '{}');
    end if;
    continue when cardinality(o) = jsonb_array_length(item->'r');
    shape := ${s}.shape_named(item->>'t');
    execute shape.keys into o, k using item->'r', coalesce(o, '{}');
    continue when o is null;
    ords := ords || o; ops := ops || array_fill('d'::"char", array[cardinality(o)]); keys := keys || k;
    images := images || array_fill(null::text, array[cardinality(o)]);
    prints := prints || array_fill(print, array[cardinality(o)]);
  end loop;
  -- Ids are drawn here, above every lock that was waited for: what depends on this transaction has a larger last id.
  ${write};
  ${wake}
  return coalesce(cardinality(ords), 0);
end $fn$;`;
}

/** SQLSTATE of a flush whose row may have got another key from a trigger or a rule. */
export const rowMoved = "LS001";

/**
 * In the functions for one row, where it isn't there. `op` 'U' stands for an update of a row that the transaction hasn't been seen to hold:
 * without it nothing is written, for another transaction may just be making it. But a trigger may have moved it.
 */
export function refuseMoved(op: string, relation: string): string {
  return `if ${op} = 'U' and (exists (select from pg_trigger g where g.tgrelid = ${relation} and not g.tgisinternal)
        or (select c.relhasrules from pg_class c where c.oid = ${relation})) then
      raise exception 'the row may have another key' using errcode = '${rowMoved}';
    end if;`;
}

/** The same for a transaction that touched one row, as most do. */
function flushRow({ s, outbox }: OutboxNames, wake: string): string {
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
    current := ${s}.catalog_version(relation) || ' ' || name;
    select x.fingerprint, x.image into print, one from ${s}.table_schema x where x.rel = relation and x.version = current limit 1;
  end if;
  if print is not null and one <> '' then
    execute 'select f.key, f.image from (' || one || '${locked}) f' into k, m using given;
  end if;
  if k is null then
    -- Gone, or a table not yet described: the way for many rows knows what to do.
    ${refuseMoved("op", "relation")}
    return ${s}.flush_pinned(jsonb_build_array(jsonb_build_object('t', name, 'r',
      jsonb_build_array(jsonb_build_array(1, op, given)))), traceparent, origin);
  end if;
  insert into ${outbox} (seq, op, fingerprint, key, image, traceparent, origin)
  values (nextval(${quoteText(`${s}.outbox_seq`)}), lower(op)::"char", print, k, m, traceparent, origin);
  ${wake}
  return 1;
end $fn$;`;
}
