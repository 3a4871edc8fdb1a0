import type { LaneName } from "../lane/checkpoint-row.js";
import { live, own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";

/** Deletes letters of a lane that were over at `before` (ms), the oldest first. */
export async function pruneLetters(
  query: Query,
  lane: LaneName,
  before: number,
  limit: number,
): Promise<number> {
  const { rows } = await query(
    `with gone as (
       delete from ${own.letter} where id = any (array(
         select id from ${own.letter}
          where source = $1 and partition = $2 and state not in ${live} and resolved_at <= to_timestamp($3::double precision / 1000)
          order by resolved_at limit $4))
       returning 1)
     select count(*) from gone`,
    [lane.source, String(lane.partition), String(before), String(limit)],
  );
  return Number(rows[0]?.[0]);
}
