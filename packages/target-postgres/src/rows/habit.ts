import type { PostgresTable } from "../tables/postgres-table.js";

/** Batches in a row that had only new rows, or only known ones: what to expect of a table's next one. */
export interface Habit {
  batchesOfNew: number;
  batchesOfKnown: number;
}

/** The table's habit; it begins anew when the table isn't what it was. */
export function habitOf(table: PostgresTable): Habit {
  return table.once("habit", (): Habit => ({ batchesOfNew: 0, batchesOfKnown: 0 }));
}

/** True when the next batch's rows are most likely all new. */
export function expectsNew({ batchesOfNew, batchesOfKnown }: Habit): boolean {
  return batchesOfKnown === 0 && batchesOfNew > 1;
}
