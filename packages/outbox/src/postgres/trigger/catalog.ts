import type { RowNote, RunStatement } from "@lockstep/core";
import { quoteName, quoteText } from "../quote.js";
import { printedTypes } from "./printed-types.js";
import { functionName, partitionTrigger, triggerPrefix } from "./triggers.js";
import { nameOf } from "./trigger-table.js";

/** A trigger as the catalog has it. */
export interface FoundTrigger {
  readonly name: string;
  readonly type: number;
  /** `A`: always. */
  readonly enabled: string;
  /** The function it runs, as `functionName` writes it. */
  readonly function: string;
  readonly isDeferred: boolean;
  readonly oldTable: string | null;
  readonly newTable: string | null;
  readonly columns: readonly string[];
}

/** What the catalog says of a table and of its triggers. */
export interface FoundTable {
  readonly oid: string;
  readonly fingerprint: string;
  /** The condition that `unchanged` writes, on `$relation`. */
  readonly unchanged: string;
  /** The one that `as_planned` is asked for. */
  readonly unchangedAsPlanned: string;
  readonly cells: string;
  readonly keyCells: string;
  readonly keySame: string;
  readonly key: readonly string[];
  /** Its columns; `base`: see `TableDefinition`. */
  readonly columns: readonly { readonly name: string; readonly base: string }[];
  /** What its texts are made of: see `printedTypes`. */
  readonly types: readonly string[];
  readonly isPartitioned: boolean;
  readonly isPartition: boolean;
  /** It has children that are no partitions, or is one. */
  readonly inherits: boolean;
  /** It has columns that are computed when they are read. */
  readonly isHalfSeen: boolean;
  readonly hasDeferrable: boolean;
  /** Its partitions, at every level; `guarded`: with the trigger that keeps it from being emptied alone. */
  readonly partitions: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly guarded: boolean;
  }[];
  /** A logical replication writes to it. */
  readonly isSubscribed: boolean;
  /** Source of its trigger function, if there is one. */
  readonly body: string | null;
  readonly triggers: readonly FoundTrigger[];
}

/** Reads what is known of tables; `undefined` for one that doesn't exist. Their shapes are registered on the way. */
export async function readTables(
  run: RunStatement,
  schema: string,
  tables: readonly RowNote["table"][],
): Promise<(FoundTable | undefined)[]> {
  const s = quoteName(schema);
  const given = JSON.stringify(tables.map((table) => [nameOf(table), `${functionName(schema, table)}()`]));
  const rows = await run(
    `select g.n, (select row_to_json(f)::text from (
  select c.oid::text as oid, k.fingerprint, ${s}.unchanged(c.oid, '$relation') as unchanged,
         format(${quoteText(`${s}.as_planned(%L, %L::pg_catalog.oid, %L)`)}, g.e->>0, c.oid, ${s}.catalog_version(c.oid)) as "unchangedAsPlanned", k.cells, k.key_cells as "keyCells", k.key_same as "keySame", k.definition->'key' as key,
         k.definition->'columns' as columns, ${printedTypes("c.oid")} as types,
         c.relkind = 'p' as "isPartitioned", c.relispartition as "isPartition",
         not c.relispartition and c.relkind <> 'p' and exists (select from pg_inherits i where c.oid in (i.inhparent, i.inhrelid)) as inherits,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attgenerated = 'v') as "isHalfSeen",
         exists (select from pg_constraint k where c.oid in (k.conrelid, k.confrelid) and k.condeferrable and k.contype <> 't') as "hasDeferrable",
         coalesce((select json_agg(json_build_object('namespace', n.nspname, 'name', p.relname, 'guarded', exists (select from pg_trigger t
              join pg_proc f on f.oid = t.tgfoid join pg_namespace fn on fn.oid = f.pronamespace
             where t.tgrelid = p.oid and t.tgname = ${quoteText(partitionTrigger(schema).name)} and t.tgenabled = 'A'
               and fn.nspname = ${quoteText(schema)} and f.proname = 'refuse_truncate')))
           from pg_partition_tree(c.oid) i join pg_class p on p.oid = i.relid join pg_namespace n on n.oid = p.relnamespace
          where i.level > 0 and c.relkind = 'p'), '[]') as partitions,
         exists (select from pg_subscription_rel r where r.srrelid = c.oid) as "isSubscribed",
         (select p.prosrc from pg_proc p where p.oid = to_regprocedure(g.e->>1)) as body,
         coalesce((select json_agg(json_build_object('name', t.tgname, 'type', t.tgtype, 'enabled', t.tgenabled,
           'isDeferred', t.tginitdeferred,
           'function', (select concat('"', replace(n.nspname, '"', '""'), '".', p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = t.tgfoid),
           'oldTable', t.tgoldtable, 'newTable', t.tgnewtable,
           'columns', (select coalesce(json_agg(distinct a.attname), '[]') from pg_depend d
              join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
             where d.classid = 'pg_trigger'::regclass and d.objid = t.oid and d.refobjid = c.oid and d.refobjsubid > 0)))
           from pg_trigger t where t.tgrelid = c.oid and starts_with(t.tgname, ${quoteText(triggerPrefix(schema))})), '[]') as triggers
    from pg_class c cross join lateral ${s}.shape_named(g.e->>0) k where c.oid = to_regclass(g.e->>0)) f) as found
  from jsonb_array_elements($1::jsonb) with ordinality g(e, n) order by g.n`,
    [given],
  );
  return rows.map(({ found }) => (typeof found === "string" ? (JSON.parse(found) as FoundTable) : undefined));
}
