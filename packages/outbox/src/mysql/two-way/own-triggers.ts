import { type CaptureFinding, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import { quoteText } from "../quote.js";

/**
 * Triggers of the application's own that may change a row before it is written. They fire for what lanes write, too: what they make of a row then is at this node
 * alone, under a version that says it is everywhere, and nobody would tell. One that asks for the origin is taken to let lanes be.
 */
export async function ownTriggers(
  run: RunStatement,
  namePrefix: string,
  tables: readonly RowNote["table"][],
): Promise<readonly CaptureFinding[]> {
  if (tables.length === 0) return [];
  const names = tables.map(({ name }) => quoteText(name)).join(", ");
  const rows = await run(
    `SELECT EVENT_OBJECT_SCHEMA AS namespace, EVENT_OBJECT_TABLE AS name, TRIGGER_NAME AS made FROM information_schema.TRIGGERS
  WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE IN (${names}) AND ACTION_TIMING = 'BEFORE' AND EVENT_MANIPULATION <> 'DELETE'
    AND LOCATE('lockstep_origin', ACTION_STATEMENT) = 0 AND LOCATE(${quoteText(namePrefix)}, TRIGGER_NAME) <> 1
  ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME`,
  );
  const made = new Map<string, string[]>();
  for (const { namespace, name, made: trigger } of rows) {
    const table = tableId({ namespace: String(namespace), name: String(name) });
    made.set(table, [...(made.get(table) ?? []), String(trigger)]);
  }
  return [...made].map(([table, triggers]) => ({
    table,
    problem: "extra",
    message: `${table}: triggers of your own (${triggers.join(", ")}) may change rows that lanes write, which no other node would hear of: let them do nothing where @lockstep_origin is set`,
  }));
}
