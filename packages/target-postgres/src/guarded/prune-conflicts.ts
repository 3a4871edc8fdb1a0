import type { ConflictsKept } from "@lockstep/core";
import type { LaneName } from "../lane/checkpoint-row.js";
import { own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";

/** Deletes old conflicts of a lane, and old tombstones, the oldest first. */
export async function pruneConflicts(
  query: Query,
  { source, partition }: LaneName,
  { before, most, limit }: ConflictsKept,
): Promise<number> {
  const lane = "source = $1 and partition = $2::integer";
  const moment = "to_timestamp($3::double precision / 1000)";
  const { rows } = await query(
    `with gone as (
       delete from ${own.conflict} where id = any (array(
         select id from ${own.conflict} where ${lane} and (at < ${moment} or id <= coalesce(
           (select id from ${own.conflict} where ${lane} order by id desc limit 1 offset $4), 0)) order by id limit $5))
       returning 1),
     tombstones as (
       delete from ${own.base} where ctid = any (array(
         select ctid from ${own.base} where deleted_at < ${moment} order by deleted_at limit $5))
       returning 1)
     select (select count(*) from gone) + (select count(*) from tombstones)`,
    [source, String(partition), String(before), String(most), String(limit)],
  );
  return Number(rows[0]?.[0]);
}
