import type { RowNote, RunStatement } from "@lockstep/core";
import { type OutboxNames, quoteText } from "@lockstep/outbox/postgres";
import type { CaptureNames } from "./names.js";

/** A table as the plan looks at it. */
export interface TableFacts {
  readonly namespace: string;
  readonly name: string;
  readonly exists: boolean;
  readonly hasKey: boolean;
  /** Other tables, which are no partitions, inherit from it: their rows are rows of it, too. */
  readonly isInherited: boolean;
  /** The log leaves it out. */
  readonly isUnlogged: boolean;
  /** `d`: by key; `f`: whole rows; `i`: by another index; `n`: not at all. */
  readonly identity: string;
  /** The table itself, or its partitions, that can hold values outside of their rows and don't log whole old rows. */
  readonly widen: readonly string[];
  readonly isOwner: boolean;
  readonly isPublished: boolean;
  /** Published, but only some of its columns or rows. */
  readonly isNarrowed: boolean;
}

/** The source as the plan looks at it. */
export interface SourceFacts {
  readonly version: number;
  readonly walLevel: string;
  readonly mayReplicate: boolean;
  readonly mayCreate: boolean;
  readonly role: string;
  readonly isInstalled: boolean;
  readonly slot: "missing" | "ours" | "lost";
  /** Publications that exist. */
  readonly publications: readonly string[];
  /** Those of them that leave out kinds of changes. */
  readonly narrowed: readonly string[];
  /** Lockstep's own tables that exist and aren't published. */
  readonly unpublishedOwn: readonly string[];
  readonly tables: readonly TableFacts[];
}

/** Looks at the source. Everything comes as text, so that any driver's settings do. */
export async function readFacts(
  run: RunStatement,
  { names, outbox }: { readonly names: CaptureNames; readonly outbox: OutboxNames },
  tables: readonly RowNote["table"][],
): Promise<SourceFacts> {
  const isInstalled = await exists(run, `${outbox.s}.wal`);
  const [row] = await run(sourceQuery(names, outbox));
  const found = JSON.parse(String(row?.["facts"])) as Omit<SourceFacts, "isInstalled" | "tables">;
  const described = await run(tablesQuery(names, tables));
  return {
    ...found,
    isInstalled: isInstalled && (await hasRow(run, outbox)),
    tables: described.map(({ facts }) => JSON.parse(String(facts)) as TableFacts),
  };
}

async function exists(run: RunStatement, name: string): Promise<boolean> {
  const [row] = await run(`select (to_regclass(${quoteText(name)}) is not null)::text as found`);
  return row?.["found"] === "true";
}

async function hasRow(run: RunStatement, { s }: OutboxNames): Promise<boolean> {
  const [row] = await run(`select count(*)::text as n from ${s}.wal`);
  return row?.["n"] === "1";
}

function sourceQuery({ slot, tables, own }: CaptureNames, { schema, s, table }: OutboxNames): string {
  // Versions only where a row of the outbox gets one, too: elsewhere that table stays empty.
  const ownTables = `(select ${quoteText(schema)}, ${quoteText(table)} union all select 'lockstep', 'checkpoint' union all
    select 'lockstep', 'row_version' where to_regproc(${quoteText(`${s}.event_version`)}) is not null) as o(namespace, name)`;
  return `select json_build_object(
  'version', current_setting('server_version_num')::int,
  'walLevel', current_setting('wal_level'),
  'mayReplicate', (select r.rolsuper or r.rolreplication or exists (select from pg_roles m
      where m.rolname in ('rds_replication', 'cloudsqlsuperuser', 'azure_pg_admin') and pg_has_role(r.oid, m.oid, 'member'))
    from pg_roles r where r.rolname = current_user),
  'mayCreate', has_database_privilege(current_database(), 'create'),
  'role', current_user,
  'slot', coalesce((select case when r.database = current_database() and r.plugin = 'pgoutput' and r.wal_status <> 'lost' then 'ours' else 'lost' end
    from pg_replication_slots r where r.slot_name = ${quoteText(slot)}), 'missing'),
  'publications', (select coalesce(json_agg(p.pubname), '[]') from pg_publication p where p.pubname in (${quoteText(tables)}, ${quoteText(own)})),
  'narrowed', (select coalesce(json_agg(p.pubname), '[]') from pg_publication p where p.pubname = ${quoteText(own)} and not (p.pubinsert and p.pubupdate)
     or p.pubname = ${quoteText(tables)} and not (p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate and p.pubviaroot)),
  'unpublishedOwn', (select coalesce(json_agg(format('%I.%I', o.namespace, o.name)), '[]') from ${ownTables}
    where to_regclass(format('%I.%I', o.namespace, o.name)) is not null and not exists (select from pg_publication_tables p
      where p.pubname = ${quoteText(own)} and p.schemaname = o.namespace and p.tablename = o.name))
)::text as facts`;
}

// Columns and rows can be left out of a publication from PostgreSQL 15 on: before, the catalog has no such columns. A table with partitions: what is logged of a row is the partition's affair.
function tablesQuery({ tables: publication }: CaptureNames, tables: readonly RowNote["table"][]): string {
  const named = tables.map(({ namespace, name }, n) => `(${n}, ${quoteText(namespace)}, ${quoteText(name)})`);
  const given =
    named.length === 0
      ? "(values (0, '', '')) as g(n, namespace, name) where false"
      : `(values ${named.join(", ")}) as g(n, namespace, name)`;
  return `select json_build_object('namespace', g.namespace, 'name', g.name, 'exists', c.oid is not null,
  'hasKey', exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary),
  'isInherited', c.relkind <> 'p' and exists (select from pg_inherits i where i.inhparent = c.oid),
  'isUnlogged', c.relpersistence <> 'p',
  'identity', c.relreplident::text,
  'isOwner', coalesce(pg_has_role(c.relowner, 'usage'), false),
  'isPublished', r.oid is not null,
  'isNarrowed', coalesce(to_jsonb(r)->>'prqual', to_jsonb(r)->>'prattrs') is not null,
  'widen', (select coalesce(json_agg(format('%I.%I', l.relnamespace::regnamespace::name, l.relname)), '[]') from pg_class l
     where l.oid in (select c.oid union select t.relid from pg_partition_tree(c.oid) t where c.relkind = 'p')
       and l.relkind = 'r' and l.relreplident <> 'f' and (l.reltoastrelid <> 0 or l.relreplident in ('n', 'i')))
)::text as facts
from (select * from ${given}) g left join pg_class c on c.oid = to_regclass(format('%I.%I', g.namespace, g.name))
left join pg_publication_rel r on r.prrelid = c.oid and r.prpubid = (select p.oid from pg_publication p where p.pubname = ${quoteText(publication)})
order by g.n`;
}
