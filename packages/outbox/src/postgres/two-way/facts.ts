import type { RowNote, RunStatement } from "@lockstep/core";
import { quoteText } from "../quote.js";
import type { FoundTrigger } from "../trigger/catalog.js";
import { nameOf } from "../trigger/trigger-table.js";

/** A key's column: `type` as `pg_type` names it; whether equal values have equal texts. */
interface KeyColumn {
  readonly name: string;
  readonly type: string;
  readonly isExact: boolean;
}

/** What the catalog says of a table, or of the outbox, and of the version triggers on it. */
export interface VersionFacts {
  readonly isPlain: boolean;
  readonly key: readonly KeyColumn[];
  /** Columns of its other unique indexes, as far as they can be asked for by equality. */
  readonly unique: readonly (readonly string[])[];
  /** Source of its trigger function, if there is one. */
  readonly body: string | null;
  readonly triggers: readonly Pick<FoundTrigger, "name" | "type" | "enabled" | "function">[];
}

/** Looks at tables and the functions of their triggers, given as `"schema".name`; `undefined` for a table that doesn't exist. */
export async function readVersionFacts(
  run: RunStatement,
  prefix: string,
  tables: readonly { readonly table: RowNote["table"]; readonly execute: string }[],
): Promise<readonly (VersionFacts | undefined)[]> {
  const given = JSON.stringify(tables.map(({ table, execute }) => [nameOf(table), `${execute}()`]));
  const rows = await run(
    `select (select row_to_json(f)::text from (
  select c.relkind = 'r' and not c.relispartition and not exists (select from pg_inherits i where c.oid in (i.inhparent, i.inhrelid)) as "isPlain",
         coalesce((select json_agg(json_build_object('name', a.attname, 'type', t.typname,
             'isExact', t.typnamespace = 'pg_catalog'::regnamespace and coalesce(l.collisdeterministic, true)) order by k.n)
           from pg_index i, unnest(i.indkey) with ordinality k(attnum, n), pg_attribute a
           join pg_type t on t.oid = a.atttypid left join pg_collation l on l.oid = a.attcollation
          where i.indrelid = c.oid and i.indisprimary and k.n <= i.indnkeyatts and a.attrelid = c.oid and a.attnum = k.attnum), '[]') as key,
         coalesce((select json_agg((select json_agg(a.attname order by k.n)
             from unnest(i.indkey) with ordinality k(attnum, n), pg_attribute a
            where k.n <= i.indnkeyatts and a.attrelid = c.oid and a.attnum = k.attnum) order by i.indexrelid)
           from pg_index i where i.indrelid = c.oid and i.indisunique and not i.indisprimary and i.indpred is null and i.indexprs is null
            and not exists (select from unnest(i.indkey) k(attnum), pg_attribute a join pg_type t on t.oid = a.atttypid
             where a.attrelid = c.oid and a.attnum = k.attnum and t.typnamespace <> 'pg_catalog'::regnamespace)), '[]') as unique,
         (select p.prosrc from pg_proc p where p.oid = to_regprocedure(g.e->>1)) as body,
         coalesce((select json_agg(json_build_object('name', t.tgname, 'type', t.tgtype, 'enabled', t.tgenabled, 'function',
             (select concat('"', replace(n.nspname, '"', '""'), '".', p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = t.tgfoid)))
           from pg_trigger t where t.tgrelid = c.oid and starts_with(t.tgname, ${quoteText(prefix)})), '[]') as triggers
    from pg_class c where c.oid = to_regclass(g.e->>0)) f) as found
  from jsonb_array_elements($1::jsonb) with ordinality g(e, n) order by g.n`,
    [given],
  );
  return rows.map(({ found }) =>
    typeof found === "string" ? (JSON.parse(found) as VersionFacts) : undefined,
  );
}

/** The tables that version triggers are on. */
export async function tablesWithVersions(
  run: RunStatement,
  prefix: string,
): Promise<readonly RowNote["table"][]> {
  const rows = await run(
    `select distinct n.nspname::text as namespace, c.relname::text as name from pg_trigger t
  join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
 where starts_with(t.tgname, $1) order by 1, 2`,
    [prefix],
  );
  return rows.map(({ namespace, name }) => ({ namespace: String(namespace), name: String(name) }));
}
