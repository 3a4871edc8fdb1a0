import type pg from "pg";
import type { Look } from "./server.js";

/** A table, with its partitions, as the server counts its changes. */
export interface CountedTable {
  readonly table: string;
  /** Row changes since the statistics began, rolled-back ones too. */
  readonly changes: number;
  /** The outbox knows it: it is meant to be captured. */
  readonly isKnown: boolean;
  /** The log that is read has it. */
  readonly isPublished: boolean;
  readonly isUnlogged: boolean;
}

/** Every table but Lockstep's own. */
export async function countedTables({ connections, s, schema }: Look): Promise<readonly CountedTable[]> {
  return connections.use(async (client) => {
    const { rows } = await client.query<Record<string, string>>(
      `with counted as (
  select coalesce(pg_partition_root(t.relid)::oid, t.relid) as root, sum(t.n_tup_ins + t.n_tup_upd + t.n_tup_del) as changes
    from pg_stat_user_tables t where t.schemaname <> $1 group by 1)
select format('%I.%I', n.nspname, c.relname) as table, k.changes, c.relpersistence = 'u' as unlogged,
       exists (select from ${s}.table_schema d where d.rel = c.oid) as known,
       exists (select from pg_publication_tables p where p.schemaname = n.nspname and p.tablename = c.relname
          and p.pubname = any ($2::text[])) as published
  from counted k join pg_class c on c.oid = k.root join pg_namespace n on n.oid = c.relnamespace order by 1`,
      [schema, await publications({ s }, client)],
    );
    return rows.map(({ table, changes, known, published, unlogged }) => ({
      table: table!,
      changes: Number(changes),
      isKnown: known === "t",
      isPublished: published === "t",
      isUnlogged: unlogged === "t",
    }));
  });
}

/** The publications that capture by the log reads; none where it isn't installed. */
export async function publications(
  { s }: Pick<Look, "s">,
  client: pg.ClientBase,
): Promise<readonly string[]> {
  const { rows: found } = await client.query("select from pg_class where oid = to_regclass($1)", [
    `${s}.wal`,
  ]);
  if (found.length === 0) return [];
  const { rows } = await client.query<{ name: string }>(`select unnest(publications) as name from ${s}.wal`);
  return rows.map(({ name }) => name);
}
