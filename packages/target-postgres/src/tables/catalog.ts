import type { Answer } from "../wire/pipeline.js";
import { arrayText } from "../sql/quote.js";

/** Runs one statement. */
export type Query = (text: string, values?: readonly (string | null)[]) => Promise<Answer>;

/** A column as the target's catalog describes it. */
export interface CatalogColumn {
  readonly name: string;
  /** With length or precision: `character varying(40)`. */
  readonly type: string;
  /** Without: what a text is cast to where the column's own length is to be enforced by assignment. */
  readonly castType: string;
  readonly nullable: boolean;
  /** GENERATED ALWAYS AS: can't be written. */
  readonly generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY: can be inserted with OVERRIDING SYSTEM VALUE, not updated. */
  readonly identityAlways: boolean;
  /** Two different texts can be equal in it: citext, a nondeterministic collation. */
  readonly insensitive: boolean;
  /** Ignores spaces at the end: char(n). */
  readonly padded: boolean;
}

/** A UNIQUE or exclusion constraint, or a unique index, beside the primary key. */
export interface CatalogUnique {
  readonly name: string;
  /** Columns it reads, those inside of expressions too. */
  readonly columns: readonly string[];
  /** Columns that stand in it as themselves. */
  readonly plain: readonly string[];
  /** NULL never equals NULL in it. */
  readonly nullsDistinct: boolean;
  readonly exclusion: boolean;
}

/** A foreign key, seen from either end. */
export interface CatalogForeignKey {
  readonly name: string;
  readonly child: { readonly namespace: string; readonly name: string; readonly columns: readonly string[] };
  readonly parent: { readonly namespace: string; readonly name: string; readonly columns: readonly string[] };
  readonly onDelete: "no action" | "restrict" | "cascade" | "set null" | "set default";
  readonly matchFull: boolean;
}

/** A table as the target's catalog describes it. */
export interface CatalogTable {
  readonly namespace: string;
  readonly name: string;
  /** COPY may write to it: an ordinary or partitioned table without rules and row-level security. */
  readonly copyable: boolean;
  readonly columns: readonly CatalogColumn[];
  /** Primary key columns; empty when there is none. */
  readonly key: readonly string[];
  /** ON CONFLICT can be used: the primary key isn't DEFERRABLE, the table has no rules. */
  readonly conflictable: boolean;
  readonly uniques: readonly CatalogUnique[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  readonly referencedBy: readonly CatalogForeignKey[];
}

/** Reads the tables of these names; the ones that don't exist are missing in the answer. */
export async function readCatalog(
  query: Query,
  namespace: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, CatalogTable>> {
  const { rows } = await query(catalogQuery, [namespace, arrayText(names)]);
  return new Map(
    rows.map(([json]) => {
      const table = JSON.parse(json!) as CatalogTable;
      return [table.name, table];
    }),
  );
}

const columnNames = (table: string, numbers: string): string =>
  `(select jsonb_agg(a.attname order by k.n) from unnest(${numbers}) with ordinality k(attnum, n)
    join pg_attribute a on a.attrelid = ${table} and a.attnum = k.attnum)`;

const end = (side: string, table: string, numbers: string): string =>
  `'${side}', (select jsonb_build_object('namespace', n.nspname, 'name', c.relname, 'columns', ${columnNames("c.oid", numbers)})
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = ${table})`;

const foreignKeys = (side: "conrelid" | "confrelid"): string => `coalesce((
  select jsonb_agg(jsonb_build_object(
    'name', f.conname,
    'matchFull', f.confmatchtype = 'f',
    'onDelete', case f.confdeltype when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' else 'no action' end,
    ${end("child", "f.conrelid", "f.conkey")}, ${end("parent", "f.confrelid", "f.confkey")}) order by f.conname)
  from pg_constraint f where f.contype = 'f' and f.conparentid = 0 and f.${side} = t.oid), '[]')`;

// indnullsnotdistinct came with PostgreSQL 15, hence to_jsonb.
const catalogQuery = `
select jsonb_build_object(
  'namespace', n.nspname,
  'name', t.relname,
  'copyable', t.relkind in ('r', 'p') and not t.relrowsecurity and not t.relhasrules,
  'columns', (
    select jsonb_agg(jsonb_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'castType', format_type(a.atttypid, -1),
      'nullable', not a.attnotnull,
      'generated', a.attgenerated <> '',
      'identityAlways', a.attidentity = 'a',
      'insensitive', coalesce(not l.collisdeterministic, false) or format_type(a.atttypid, null) ~ '(^|\\.)citext$',
      'padded', a.atttypid = 'bpchar'::regtype) order by a.attnum)
    from pg_attribute a left join pg_collation l on l.oid = a.attcollation
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped),
  'key', coalesce(${columnNames("t.oid", "p.indkey::int2[]")}, '[]'),
  'conflictable', coalesce(p.indimmediate, false) and not t.relhasrules,
  'uniques', coalesce((
    select jsonb_agg(jsonb_build_object(
      'name', i.relname,
      'columns', (select coalesce(jsonb_agg(distinct a.attname), '[]') from pg_attribute a
        where a.attrelid = t.oid and a.attnum > 0 and (a.attnum = any((u.indkey::int2[])[0:u.indnkeyatts - 1]) or exists (
          select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = u.indexrelid
            and d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid and d.refobjsubid = a.attnum
            and 0 = any(u.indkey::int2[])))),
      'plain', coalesce(${columnNames("t.oid", "(u.indkey::int2[])[0:u.indnkeyatts - 1]")}, '[]'),
      'nullsDistinct', not coalesce((to_jsonb(u) ->> 'indnullsnotdistinct')::boolean, false),
      'exclusion', u.indisexclusion) order by i.relname)
    from pg_index u join pg_class i on i.oid = u.indexrelid
    where u.indrelid = t.oid and u.indislive and not u.indisprimary and (u.indisunique or u.indisexclusion)), '[]'),
  'foreignKeys', ${foreignKeys("conrelid")},
  'referencedBy', ${foreignKeys("confrelid")})
from pg_class t
join pg_namespace n on n.oid = t.relnamespace
left join pg_index p on p.indrelid = t.oid and p.indisprimary
where n.nspname = $1 and t.relname = any($2::text[]) and t.relkind in ('r', 'p', 'f', 'v')`;
