import type { LetterState } from "@lockstep/core";
import type { LaneName } from "../lane/checkpoint-row.js";
import { live, own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";
import { stateCounts } from "./letter-row.js";

/** Live letters of a lane by state; states that aren't live count 0. */
export async function countLetters(
  query: Query,
  lane: LaneName,
): Promise<Readonly<Record<LetterState, number>>> {
  const { rows } = await query(
    `select state, count(*) from ${own.letter} where source = $1 and partition = $2 and state in ${live} group by state`,
    [lane.source, String(lane.partition)],
  );
  return stateCounts(rows);
}
