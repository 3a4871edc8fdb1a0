import type { TableSchema } from "@lockstep/core";
import type pg from "pg";
import type { RelationMessage } from "../pgoutput/relation-message.js";

/** A table of the log as the catalog describes it now. */
export interface DescribedRelation {
  readonly fingerprint: string;
  /** Primary key, in key order; empty when neither the catalog nor an older schema of the table knows one that the log's columns have. */
  readonly key: readonly string[];
  /** Base type of each column. */
  readonly bases: readonly string[];
}

/**
 * Describes the columns that the log names, by the catalog as it is now: types by their ids, which outlive their columns; nullability by
 * name (a column that is gone may hold NULLs). When the primary key's columns are gone, the key is the last known one of the table. The
 * result is kept, in the form of the outbox's schemas and under the same fingerprint, so that whoever reads events finds it.
 */
export async function describeRelation(
  client: pg.ClientBase,
  s: string,
  message: RelationMessage,
): Promise<DescribedRelation> {
  const { id, namespace, name, columns } = message;
  const identity = columns.flatMap((column) => (column.isIdentity ? [column.name] : []));
  await client.query("begin isolation level read committed");
  await client.query("set local search_path = pg_catalog, pg_temp; set local quote_all_identifiers = off");
  const { rows } = await client.query<Record<string, string>>(describeStatement(s), [
    String(id),
    namespace,
    name,
    columns.map((column) => column.name),
    columns.map((column) => String(column.type)),
    columns.map((column) => String(column.typmod)),
    message.identity === "d" ? identity : [],
  ]);
  await client.query("commit");
  const [row] = rows;
  const definition = JSON.parse(row!["definition"]!) as Pick<TableSchema, "key"> & {
    readonly columns: readonly { readonly base: string }[];
  };
  return {
    fingerprint: row!["fingerprint"]!,
    key: definition.key,
    bases: definition.columns.map(({ base }) => base),
  };
}

// The definition has the form of the outbox's `make_shape`: equal tables have equal fingerprints, whoever described them.
function describeStatement(s: string): string {
  return `with recursive given as (
  select g.n, g.name, g.type::oid as type, g.typmod::int as typmod
    from unnest($4::text[], $5::text[], $6::text[]) with ordinality as g(name, type, typmod, n)
), col as (
  select g.n, g.name, coalesce(nullif(format_type(g.type, g.typmod), '???'), 'text') as type, coalesce(a.attnotnull, false) as attnotnull,
         coalesce(a.attgenerated <> '', false) as generated, t.typtype, t.typbasetype, t.typname, t.typnamespace, t.typcategory,
         g.typmod, t.typtypmod
    from given g left join pg_type t on t.oid = g.type
    left join pg_attribute a on a.attrelid = $1::oid and a.attname = g.name and a.attnum > 0 and not a.attisdropped
  union all
  select c.n, c.name, c.type, c.attnotnull, c.generated, t.typtype, t.typbasetype, t.typname, t.typnamespace, t.typcategory,
         c.typtypmod, t.typtypmod
    from col c join pg_type t on t.oid = c.typbasetype where c.typtype = 'd'
), based as (
  select * from col where typtype is distinct from 'd'
), keys as (
  -- The catalog's key; the one of an older schema when its columns were renamed since; what the log knows old rows by.
  select 0 as rank, now() as seen_at, array_agg(a.attname::text order by k.n) as key
    from pg_index i, unnest(i.indkey) with ordinality k(attnum, n), pg_attribute a
   where i.indrelid = $1::oid and i.indisprimary and k.n <= i.indnkeyatts and a.attrelid = i.indrelid and a.attnum = k.attnum
   group by i.indexrelid
  union all
  select 1, k.seen_at, array(select jsonb_array_elements_text(k.definition->'key'))
    from (select rel, seen_at, definition from ${s}.table_schema union all select rel, seen_at, definition from ${s}.wal_schema) k
   where k.rel = $1::oid
  union all
  select 2, now(), $7::text[]
), chosen as (
  select k.key from keys k
   where cardinality(k.key) > 0 and k.key <@ $4::text[] and (cardinality($7::text[]) = 0 or k.key @> $7::text[] and k.key <@ $7::text[])
   order by k.rank, k.seen_at desc limit 1
), made as (
  select jsonb_build_object('namespace', $2::text, 'name', $3::text,
           'columns', (select jsonb_agg(jsonb_build_object('name', name, 'type', type, 'nullable', not attnotnull,
              'generated', generated, 'base', case when typnamespace = 11 or typname = 'citext' then typname else '' end,
              'enum', coalesce(typtype = 'e', false), 'array', coalesce(typcategory = 'A', false), 'typmod', typmod) order by n) from based),
           'key', coalesce((select to_jsonb(key) from chosen), '[]')) as definition
), printed as (
  select definition, left(md5(definition::text), 16) as fingerprint from made
), kept as (
  insert into ${s}.wal_schema (fingerprint, rel, definition)
  select p.fingerprint, $1::oid, p.definition from printed p where p.definition->'key' <> '[]' on conflict do nothing
)
select fingerprint, definition from printed`;
}

/**
 * The schema without the generated columns that the server can't publish: all of them before PostgreSQL 18, from then on those that are
 * computed when they are read. `undefined` when it has none of these.
 */
export async function withoutGenerated(
  client: pg.ClientBase,
  s: string,
  fingerprint: string,
): Promise<{ readonly fingerprint: string; readonly gone: readonly string[] } | undefined> {
  const { rows } = await client.query<{ fingerprint: string; gone: string }>(
    `with gone as (
  select k.rel, k.definition, array_agg(c->>'name') as names
    from ${s}.table_schema k, jsonb_array_elements(k.definition->'columns') c
   where k.fingerprint = $1 and (c->>'generated')::boolean and (current_setting('server_version_num')::int < 180000
      or exists (select from pg_attribute a where a.attrelid = k.rel and a.attname = c->>'name' and a.attgenerated = 'v'))
   group by k.rel, k.definition limit 1
), made as (
  select g.rel, jsonb_set(g.definition, '{columns}', (select jsonb_agg(c order by n)
           from jsonb_array_elements(g.definition->'columns') with ordinality x(c, n) where c->>'name' <> all (g.names))) as definition
    from gone g
), printed as (
  select rel, definition, left(md5(definition::text), 16) as fingerprint from made
), kept as (
  insert into ${s}.wal_schema (fingerprint, rel, definition) select p.fingerprint, p.rel, p.definition from printed p on conflict do nothing
)
select p.fingerprint, to_json(g.names)::text as gone from printed p, gone g`,
    [fingerprint],
  );
  const [row] = rows;
  return row && { fingerprint: row.fingerprint, gone: JSON.parse(row.gone) as string[] };
}
