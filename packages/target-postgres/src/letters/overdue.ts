import type { LaneName } from "../lane/checkpoint-row.js";
import { own } from "../own-tables/ddl.js";
import type { Query } from "../tables/catalog.js";

/** A letter whose time has come. */
export interface OverdueLetter {
  readonly id: string;
  readonly attempts: number;
  readonly dueAt: number;
}

/** `retrying` letters of a lane that are due at `before` (ms), the longest overdue first. */
export async function overdueLetters(
  query: Query,
  lane: LaneName,
  before: number,
  limit: number,
): Promise<readonly OverdueLetter[]> {
  const { rows } = await query(
    `select id, attempts, (extract(epoch from due_at) * 1000)::bigint from ${own.letter}
     where source = $1 and partition = $2 and state = 'retrying' and due_at <= to_timestamp($3::double precision / 1000)
     order by due_at, id limit $4`,
    [lane.source, String(lane.partition), String(before), String(limit)],
  );
  return rows.map(([id, attempts, dueAt]) => ({ id: id!, attempts: Number(attempts), dueAt: Number(dueAt) }));
}
