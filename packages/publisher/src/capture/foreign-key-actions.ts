import { type CaptureFinding, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import { activeForeignKeys } from "./subscriber/catalog/foreign-keys.js";

/**
 * Tables of MySQL or MariaDB whose rows foreign keys change: the engine does so without a word to triggers or to the log (PROTOCOL.md 25).
 * `by` is what doesn't see it.
 */
export async function unseenByActions(
  run: RunStatement,
  tables: readonly RowNote["table"][],
  by: "triggers" | "the log",
): Promise<CaptureFinding[]> {
  if (tables.length === 0) return [];
  const wanted = new Set(tables.map(tableId));
  const names = [...new Set(tables.map(({ namespace }) => namespace))];
  const keys = await activeForeignKeys("mysql", run, names);
  const children = new Set(keys.map(({ child }) => tableId(child)).filter((table) => wanted.has(table)));
  return [...children].map((table) => ({
    table,
    problem: "refused" as const,
    message: `${table} has a foreign key whose action (CASCADE, SET NULL) ${by === "triggers" ? "no trigger sees" : "the log doesn't show"}: use RESTRICT, capture: "subscriber", or foreignKeyActions: "accept"`,
  }));
}
