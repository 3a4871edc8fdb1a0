import { type RunStatement, tableId } from "@lockstep/core";
import { quoteText } from "../quote.js";
import type { FoundTrigger } from "../trigger/plan-table.js";

/** The version triggers of this database: another one of the server may be another node. */
export async function versionTriggersOf(run: RunStatement, namePrefix: string): Promise<FoundTrigger[]> {
  const pattern = `^${namePrefix.replaceAll(/[^A-Za-z0-9_]/g, ".")}version_[0-9a-f]{12}_(insert|update|delete|before)_[0-9a-f]{12}$`;
  const rows = await run(
    `SELECT EVENT_OBJECT_SCHEMA AS namespace, EVENT_OBJECT_TABLE AS tab, TRIGGER_NAME AS name FROM information_schema.TRIGGERS
  WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME REGEXP ${quoteText(pattern)}`,
  );
  return rows.map((row) => ({
    table: { namespace: String(row["namespace"]), name: String(row["tab"]) },
    name: String(row["name"]),
  }));
}

/** Which triggers fire, in their order, by table and moment: `database.table AFTER INSERT`. */
export async function triggersInOrder(
  run: RunStatement,
  database: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await run(
    `SELECT EVENT_OBJECT_TABLE AS tab, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, TRIGGER_NAME AS name
  FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ${quoteText(database)} ORDER BY ACTION_ORDER`,
  );
  const order = new Map<string, string[]>();
  for (const { tab, timing, event, name } of rows) {
    const at = `${tableId({ namespace: database, name: String(tab) })} ${String(timing)} ${String(event)}`;
    order.set(at, [...(order.get(at) ?? []), String(name)]);
  }
  return order;
}

/** The tables whose rows the engine changes by itself where a foreign key's other side is written. */
export async function tablesWithActions(run: RunStatement, database: string): Promise<ReadonlySet<string>> {
  const rows = await run(
    `SELECT DISTINCT TABLE_NAME AS tab FROM information_schema.REFERENTIAL_CONSTRAINTS
  WHERE CONSTRAINT_SCHEMA = ${quoteText(database)} AND (DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION'))`,
  );
  return new Set(rows.map(({ tab }) => String(tab)));
}
