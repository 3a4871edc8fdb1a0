import type { RowChange, RunStatement } from "@lockstep/core";
import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { lockRows } from "./locked-rows.js";

type Identification = (write: BuilderWrite, statement: WriteStatement) => Promise<Captured>;

/**
 * Adds the rows that foreign keys change along with the write. They are looked for before it, while they still point to its rows, and
 * after an update once more, by the new values: a child whose own key holds the foreign key has moved. Costs nothing where no such foreign key is.
 */
export function withCascades(
  write: BuilderWrite,
  change: RowChange,
  identification: Identification,
): Identification {
  const { table } = write.table;
  const { cascades } = write.rules.tables;
  if (!cascades.follow(table, change)) return identification;
  const run: RunStatement = (sql, parameters = []) => write.select(sql, parameters);
  return async (_, statement) => {
    // Locked first: no child can come while its parent is held.
    const restricted = await lockRows(write, statement);
    const along = await cascades.notes(run, { table, keys: restricted.locked, change });
    const { result, notes } = await identification(write, restricted);
    if (change.kind === "delete") return { result, notes: [...along, ...notes] };
    const now = notes.filter(({ op }) => op !== "delete").map(({ key }) => key);
    const moved = await cascades.notes(run, { table, keys: now, change });
    return { result, notes: [...along, ...notes, ...moved] };
  };
}
