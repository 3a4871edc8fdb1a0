import {
  newVersion,
  type Reasserted,
  type RowNote,
  type RowVersion,
  type RunStatement,
} from "@lockstep/core";
import { readVersion } from "../../read-version.js";
import { quoteName } from "../quote.js";
import { nameOf } from "../trigger/trigger-table.js";
import { versionTable } from "./version-function.js";

type Keys = readonly (readonly string[])[];

/** Versions of these rows, in their order; what `lock` says is appended to the query. */
export async function readVersions(
  run: RunStatement,
  table: string,
  keys: Keys,
  lock: "" | "for update" = "",
): Promise<readonly (RowVersion | undefined)[]> {
  const texts = keys.map((key) => JSON.stringify(key));
  const rows = await run(
    `select row_key, stamp::text, node, seen from ${versionTable}
      where table_name = $1 and row_key = any($2::text[]) and stamp > 0 order by row_key ${lock}`,
    [table, texts],
  );
  const found = new Map(rows.map((row) => [String(row["row_key"]), readVersion(row)]));
  return texts.map((text) => found.get(text));
}

/**
 * Gives rows versions that replace others. Whoever writes such a row passes its version, so from the lock on it is there or it isn't: an INSERT in progress has been waited for.
 */
export async function writeOver(
  run: RunStatement,
  schema: string,
  table: RowNote["table"],
  node: string,
  rows: readonly Reasserted[],
): Promise<void> {
  const keys = rows.map(({ key }) => key);
  const texts = keys.map((key) => JSON.stringify(key));
  await run(
    `insert into ${versionTable} (table_name, row_key) select $1, k from unnest($2::text[]) k order by k on conflict do nothing`,
    [table.name, texts],
  );
  const held = await readVersions(run, table.name, keys, "for update");
  const absent = await run(`select n from ${quoteName(schema)}.absent_keys($1, $2::jsonb) n`, [
    nameOf(table),
    JSON.stringify(keys),
  ]);
  const gone = new Set(absent.map((row) => Number(row["n"]) - 1));
  const [clock] = await run("select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as now");
  const versions = rows.map(({ over }, i) => newVersion(node, Number(clock!["now"]), [held[i], over]));
  await run(
    `update ${versionTable} v set stamp = s.stamp, node = $3, seen = s.seen, came_from = null,
            deleted_at = case when s.gone then coalesce(v.deleted_at, clock_timestamp()) end
       from unnest($2::text[], $4::bigint[], $5::text[], $6::boolean[]) as s(key, stamp, seen, gone)
      where v.table_name = $1 and v.row_key = s.key`,
    [
      table.name,
      texts,
      node,
      versions.map(({ stamp }) => String(stamp)),
      versions.map(({ seen }) => JSON.stringify(seen)),
      rows.map((_, i) => gone.has(i)),
    ],
  );
}
