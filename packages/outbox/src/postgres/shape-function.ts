import { formatVersion } from "./format-version.js";
import { pinnedPath } from "./pinned-settings.js";

/**
 * Functions that read a table's shape from the catalog: the one place where a fingerprint is defined.
 *
 * `catalog_version` is a cheap content hash of the columns and the primary key, taken at every flush (PROTOCOL.md 12).
 * `make_shape` builds what belongs to it (definition, fingerprint, the statements that read rows) and keeps it in
 * `table_schema`, so that it happens once per version of a table.
 */
export function shapeFunctions(s: string): string {
  return [catalogVersion(s), unchanged(s), asPlanned(s), makeShape(s), shapeNamed(s), describe(s)].join("\n");
}

function catalogVersion(s: string): string {
  return `create or replace function ${s}.columns_version(rel oid) returns numeric
language plpgsql stable parallel unsafe as $fn$
declare columns numeric; widest int;
begin
  -- A product of two hashes for each column: names or types that columns trade change the sum. 32-bit hashes, as they take a quarter of the time.
  select pg_catalog.sum(pg_catalog.hashtext(a.attname::text)::bigint * pg_catalog.hashint8((a.attnum::bigint << 48) # (a.atttypid::bigint << 16)
             # ((a.atttypmod::bigint << 2) + a.attnotnull::int * 2 + (a.attgenerated <> '')::int))) filter (where not a.attisdropped),
         pg_catalog.max(a.attnum)
    into columns, widest
    from pg_catalog.pg_attribute a where a.attrelid = rel and a.attnum > 0;
  -- The query above reads the catalog as of the transaction's snapshot, this call as it is now: under REPEATABLE READ a
  -- column may have been added since, and its value must not be left out of an image. Of nobody's rights (role 0): PostgreSQL 13 says yes
  -- for any number of a column to who has the right on the whole table.
  if pg_catalog.has_column_privilege(0::oid, rel, (widest + 1)::int2, 'references') is not null then
    raise exception 'a column was added to the table since this transaction began' using errcode = '40001';
  end if;
  return columns;
end $fn$;
create or replace function ${s}.catalog_version(rel oid) returns text
language plpgsql stable parallel unsafe as $fn$
declare columns numeric := ${s}.columns_version(rel); pk oid;
begin
  select i.indexrelid into pk from pg_catalog.pg_index i where i.indrelid = rel and i.indisprimary;
  -- With the format: shapes that an older version made are not used.
  return pg_catalog.concat('${formatVersion} ', columns, ' ', pk);
end $fn$;`;
}

/**
 * The condition that a table is still the one it was when a function was written for it, with the catalog's rows as literals: `relation` is an
 * expression for its oid. Says the same as `catalog_version`, in a fraction of its time: nothing is hashed. Every name in it is qualified.
 */
function unchanged(s: string): string {
  return `create or replace function ${s}.unchanged(rel oid, relation text) returns text language sql stable ${pinnedPath} as $fn$
  select format($cond$(select pg_catalog.count(*) filter (where a.attname operator(pg_catalog.=) (%3$L::pg_catalog.name[])[a.attnum]
        and a.atttypid operator(pg_catalog.=) (%4$L::pg_catalog.oid[])[a.attnum] and a.atttypmod operator(pg_catalog.=) (%5$L::pg_catalog.int4[])[a.attnum]
        and a.attnotnull operator(pg_catalog.=) (%6$L::pg_catalog.bool[])[a.attnum]
        and (a.attgenerated operator(pg_catalog.<>) '') operator(pg_catalog.=) (%7$L::pg_catalog.bool[])[a.attnum]) operator(pg_catalog.=) %2$s
      from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) %1$s and a.attnum operator(pg_catalog.>) 0)
    -- As it is now, where the query sees the catalog as of the transaction's snapshot: a column may have been added since.
    and pg_catalog.has_column_privilege(0::pg_catalog.oid, %1$s, %8$s::pg_catalog.int2, 'references') is null
    -- Its primary key's index goes with the key.
    and pg_catalog.pg_index_column_has_property(%9$s, 1, 'orderable') is not null$cond$,
    relation, count(*), array_agg(a.attname order by a.attnum), array_agg(a.atttypid order by a.attnum), array_agg(a.atttypmod order by a.attnum),
    array_agg(a.attnotnull order by a.attnum), array_agg(a.attgenerated <> '' order by a.attnum), count(*) + 1,
    (select i.indexrelid from pg_index i where i.indrelid = rel and i.indisprimary))
    from pg_attribute a where a.attrelid = rel and a.attnum > 0
$fn$;`;
}

/**
 * The same at no cost, in a query that reads the table, or an expression with its oid as a constant: called immutable, it is asked when that is planned, and
 * plans go when their tables change.
 * Says no where the planner may see the catalog as of an older snapshot: an answer from there must not outlive its transaction.
 */
function asPlanned(s: string): string {
  return `create or replace function ${s}.as_planned(name text, rel oid, version text) returns boolean
language plpgsql immutable parallel unsafe ${pinnedPath} as $fn$
begin
  return current_setting('transaction_isolation') like 'read %' and to_regclass(name) = rel and ${s}.catalog_version(rel) = version;
end $fn$;`;
}

/**
 * What the catalog says of the table whose oid `rel` is an expression for: `based` has its columns, `keyed` those of its primary key, each with the expression
 * `cell` for the text of a value of the row `t`, every name in it qualified. For a search_path of pg_catalog.
 *
 * Casts to text go through a type's output function. Where a cast to text exists that prints something else than the
 * database prints (char(n) loses its padding, inet gains a mask, xml keeps its declaration), the output function is called by name.
 */
export function shapeParts(rel: string): string {
  return `with recursive col as (
    select a.attnum, a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull,
           a.attgenerated <> '' as generated, a.attcollation as coll, t.oid as base, t.typtype, t.typbasetype, t.typname,
           t.typnamespace, t.typcategory, a.atttypmod as typmod, t.typtypmod
      from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = ${rel} and a.attnum > 0 and not a.attisdropped
    union all
    select c.attnum, c.attname, c.atttypid, c.type, c.attnotnull, c.generated, c.coll, t.oid, t.typtype, t.typbasetype, t.typname,
           t.typnamespace, t.typcategory, c.typtypmod, t.typtypmod
      from col c join pg_type t on t.oid = c.typbasetype where c.typtype = 'd'
  ), based as (
    select c.*, case c.base when 1042 then format('pg_catalog.textin(pg_catalog.bpcharout(t.%I))', c.attname)
                            when 869 then format('pg_catalog.textin(pg_catalog.inet_out(t.%I))', c.attname)
                            when 142 then format('pg_catalog.textin(pg_catalog.xml_out(t.%I))', c.attname)
                            else format('t.%I::pg_catalog.text', c.attname) end as cell
      from col c where c.typtype <> 'd'
  ), keyed as (
    select b.*, k.n, format('(n.e->2->>%s)::%s', k.n - 1, format_type(b.atttypid, -1)) as given,
           format('(n.e->3->>%s)::%s', k.n - 1, format_type(b.atttypid, -1)) as before,
           -- Of types and collations that take different texts for the same ('a' = 'A'), only the row with the very text is the one noted.
           b.typtype <> 'e' and b.base <> all ('{16,17,20,21,23,2950,1082,1083,1114,1184}'::oid[])
             and not (b.base in (25, 1042, 1043) and coalesce((select l.collisdeterministic from pg_collation l where l.oid = b.coll), true)) as folds,
           -- The operator of the key's own index: '=' by name is not found for types outside pg_catalog.
           (select format('operator(%I.%s)', o.nspname, p.oprname) from pg_opclass c
              join pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3
                            and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
              join pg_operator p on p.oid = m.amopopr join pg_namespace o on o.oid = p.oprnamespace
             where c.oid = i.indclass[k.n - 1]) as equals
      from pg_index i, unnest(i.indkey) with ordinality k(attnum, n), based b
     where i.indrelid = ${rel} and i.indisprimary and k.n <= i.indnkeyatts and b.attnum = k.attnum
  )`;
}

/** From those parts, the condition that `t` is the row with a key whose columns `given` has expressions for. */
export function keyMatch(given: string): string {
  return `(select string_agg(format('t.%I %s %s', attname, equals, ${given}) || case when folds then format(' and %s collate "C" = %s collate "C"',
            cell, replace(cell, format('t.%I', attname), '(' || ${given} || ')')) else '' end, ' and ' order by n) from keyed)`;
}

/** The definition of that table (`TableDefinition`), from those parts. */
export function definitionOf(rel: string): string {
  return `jsonb_build_object(
           'namespace', (select relnamespace::regnamespace::name from pg_class where oid = ${rel}),
           'name', (select relname from pg_class where oid = ${rel}),
           'columns', (select jsonb_agg(jsonb_build_object('name', attname, 'type', type, 'nullable', not attnotnull,
              'generated', generated, 'base', case when typnamespace = 11 or typname = 'citext' then typname else '' end,
              'enum', typtype = 'e', 'array', typcategory = 'A', 'typmod', typmod) order by attnum) from based),
           'key', (select coalesce(jsonb_agg(attname order by n), '[]') from keyed))`;
}

function makeShape(s: string): string {
  return `create or replace function ${s}.make_shape(rel oid, name text) returns ${s}.table_schema
language plpgsql ${pinnedPath} as $fn$
declare made ${s}.table_schema; cells text; key_cells text; key_same text; key_match text; key_given text; key_before text;
begin
  ${shapeParts("rel")}
  select (select string_agg(cell, ', ' order by attnum) from based),
         (select string_agg(cell, ', ' order by n) from keyed),
         (select string_agg(format('t.%1$I %2$s r.%1$I', attname, equals) || case when folds then format(' and %s collate "C" = %s collate "C"',
            cell, replace(cell, format('t.%I', attname), format('r.%I', attname))) else '' end, ' and ' order by n) from keyed),
         ${keyMatch("given")},
         (select string_agg(replace(cell, format('t.%I', attname), '(' || given || ')'), ', ' order by n) from keyed),
         (select string_agg(replace(cell, format('t.%I', attname), '(' || before || ')'), ', ' order by n) from keyed),
         ${definitionOf("rel")}
    into cells, key_cells, key_same, key_match, key_given, key_before, made.definition;
  made.rel := rel;
  -- With the name: tables that trade names keep their oids and columns, and these statements would read the other one.
  made.version := ${s}.catalog_version(rel) || ' ' || name;
  made.fingerprint := left(md5(made.definition::text), 16);
  made.seen_at := clock_timestamp();
  made.cells := cells; made.key_cells := coalesce(key_cells, ''); made.key_same := coalesce(key_same, '');
  if key_cells is null then
    -- No primary key: described, never flushed.
    made.image := ''; made.images := ''; made.keys := ''; made.befores := '';
    return made;
  end if;
  -- Read under a lock (PROTOCOL.md 8): rows that were noted but not changed are not locked by the transaction, and an image read
  -- without one could be older than one that is already in the outbox. Those that it has made itself, as they are now, need none:
  -- nobody else can change them before it ends. (What a savepoint has made is not told from what others have, and is locked.)
  made.image := format(
    'select array_to_json(array[%s])::text as key, array_to_json(array[%s])::text as image, '
    't.xmin = pg_current_xact_id()::xid as is_own from %s t where %s',
    key_cells, cells, name, replace(key_match, '(n.e->2->>', '($1->>'));
  -- The same for many rows, given as [order, 'i' or 'u', key, key before?]: images of those that exist, keys of those that
  -- don't, and the keys from before.
  made.images := format(
    'select (n.e->>0)::int as ord, lower(n.e->>1)::"char" as op, array_to_json(array[%s])::text as key, '
    'array_to_json(array[%s])::text as image, t.xmin = pg_current_xact_id()::xid as is_own '
    'from jsonb_array_elements($1) n(e) join %s t on %s',
    key_cells, cells, name, key_match);
  made.keys := format(
    'select array_agg((n.e->>0)::int), array_agg(case when n.e->3 is null then array_to_json(array[%s])::text '
    'else array_to_json(array[%s])::text end) '
    'from jsonb_array_elements($1) n(e) where (n.e->>0)::int <> all ($2) and (n.e->>1 not in (''i'', ''U'') or n.e->3 is not null)',
    key_given, key_before);
  made.befores := format(
    'select jsonb_object_agg(n.e->>0, array_to_json(array[%s])::text) from jsonb_array_elements($1) n(e) where n.e->3 is not null',
    key_before);
  return made;
end $fn$;`;
}

/** The shape of a table, by its quoted name. */
function shapeNamed(s: string): string {
  return `create or replace function ${s}.shape_named(name text) returns ${s}.table_schema language plpgsql as $fn$
declare relation oid := to_regclass(name); current text; shape ${s}.table_schema;
begin
  if relation is null then
    raise exception 'table % does not exist', name using errcode = 'undefined_table';
  end if;
  current := ${s}.catalog_version(relation) || ' ' || name;
  select k.* into shape from ${s}.table_schema k where k.rel = relation and k.version = current limit 1;
  if not found then
    shape := ${s}.make_shape(relation, name);
    insert into ${s}.table_schema select shape.*;
  end if;
  return shape;
end $fn$;`;
}

/** What is known of tables, given as a JSON array of quoted names; nulls for one that doesn't exist. */
function describe(s: string): string {
  return `-- Of formats up to 6: its columns had other names.
drop function if exists ${s}.describe(jsonb), ${s}.make_row_function(${s}.table_schema, text);
create or replace function ${s}.describe(tables jsonb)
returns table (n int, fingerprint text, definition jsonb, functions text) language plpgsql as $fn$
declare name text; shape ${s}.table_schema;
begin
  for name, n in select e, o from jsonb_array_elements_text(tables) with ordinality i(e, o) loop
    fingerprint := null; definition := null; functions := null;
    if to_regclass(name) is not null then
      shape := ${s}.shape_named(name);
      fingerprint := shape.fingerprint; definition := shape.definition;
      functions := ${s}.make_table_functions(shape, name);
    end if;
    return next;
  end loop;
end $fn$;`;
}
