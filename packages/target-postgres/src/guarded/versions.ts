import type { HeldVersion, VersionWrite } from "@lockstep/core";
import { own } from "../own-tables/ddl.js";
import type { RunInStep } from "../rows/statements.js";
import { arrayText } from "../sql/quote.js";
import type { Query } from "../tables/catalog.js";

/** Versions of these rows of a table, locked: whoever writes one of them waits for this transaction. */
export async function lockVersions(
  run: RunInStep,
  table: string,
  keys: readonly string[],
): Promise<readonly (HeldVersion | undefined)[]> {
  if (keys.length === 0) return [];
  const values = [table, arrayText(keys)];
  const [, found] = await run([
    // A row that isn't there can't be locked: its version can. In the order of keys, as all lanes do.
    { text: makeMissing, values, prepared: true },
    { text: lockRows, values, prepared: true },
  ]);
  const held = new Map(found!.rows.map(([key, ...row]) => [key!, readHeld(row)]));
  return keys.map((key) => held.get(key));
}

const makeMissing = `insert into ${own.version} (table_name, row_key)
  select $1, k from unnest($2::text[]) k order by k on conflict do nothing`;

const lockRows = `select row_key, stamp, node, seen, came_from,
    (extract(epoch from clock_timestamp() - deleted_at) * 1000)::bigint
  from ${own.version} where table_name = $1 and row_key = any($2::text[]) order by row_key for update`;

function readHeld([stamp, node, seen, from, deletedMsAgo]: readonly (string | null)[]):
  HeldVersion | undefined {
  if (stamp === "0") return undefined;
  const version = {
    stamp: Number(stamp),
    node: node!,
    seen: JSON.parse(seen!) as Record<string, number>,
    ...(from == null ? {} : { from }),
  };
  return deletedMsAgo == null ? { version } : { version, deletedMsAgo: Number(deletedMsAgo) };
}

/** Forgets versions of rows that were deleted longer than `keepMs` ago. One that somebody holds stays for the next time. */
export async function pruneVersions(query: Query, keepMs: number, limit: number): Promise<number> {
  const { rows } = await query(
    `with gone as (
       delete from ${own.version} where (table_name, row_key) in (
         select table_name, row_key from ${own.version}
          where deleted_at < clock_timestamp() - $1::double precision * interval '1 ms' limit $2 for update skip locked)
       returning 1)
     select count(*) from gone`,
    [String(keepMs), String(limit)],
  );
  return Number(rows[0]?.[0]);
}

/** Writes versions, whatever is there. */
export async function putVersions(
  run: RunInStep,
  table: string,
  versions: readonly VersionWrite[],
): Promise<void> {
  const list = (of: (one: VersionWrite) => string | null): string => arrayText(versions.map(of));
  const values = [
    table,
    list(({ key }) => key),
    list(({ version }) => String(version.stamp)),
    list(({ version }) => version.node),
    list(({ version }) => JSON.stringify(version.seen)),
    list(({ version }) => version.from ?? null),
    list(({ deleted }) => String(deleted)),
  ];
  await run([{ text: put, values, prepared: true }]);
}

const put = `insert into ${own.version} (table_name, row_key, stamp, node, seen, came_from, deleted_at)
  select $1, s.key, s.stamp, s.node, s.seen, s.came_from, case when s.deleted then clock_timestamp() end
    from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::boolean[])
      as s(key, stamp, node, seen, came_from, deleted) order by s.key
  on conflict (table_name, row_key) do update set stamp = excluded.stamp, node = excluded.node, seen = excluded.seen,
    came_from = excluded.came_from, deleted_at = excluded.deleted_at`;
