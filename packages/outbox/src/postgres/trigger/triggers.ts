import { createHash } from "node:crypto";
import { quoteName } from "../quote.js";
import { transitionTable } from "./statements.js";
import { nameOf, type TriggerTable } from "./trigger-function.js";

/** A trigger that a table must have. */
export interface WantedTrigger {
  readonly name: string;
  /** `pg_trigger.tgtype`. */
  readonly type: number;
  /** What stands between the name and the table. */
  readonly when: string;
  /** What stands between the table and the function. */
  readonly forEach: string;
  readonly oldTable?: string;
  readonly newTable?: string;
  /** Columns it depends on. */
  readonly columns?: readonly string[];
}

const bits = { row: 1, before: 2, insert: 4, delete: 8, update: 16, truncate: 32 } as const;

/**
 * The beginning of the triggers' names. Triggers fire in the order of their names, and ids must be drawn after the waits of foreign keys, whose
 * triggers are named `RI_…` (PROTOCOL.md 9).
 */
export function triggerPrefix(schema: string): string {
  return `zz_${schema.length > 40 ? hashOf(schema) : schema}_`;
}

/** The quoted name of a table's trigger function. */
export function functionName(schema: string, table: Pick<TriggerTable, "namespace" | "name">): string {
  return `${quoteName(schema)}.capture_${tableHash(table)}`;
}

/** What tells a table apart in names. */
export function tableHash(table: Pick<TriggerTable, "namespace" | "name">): string {
  return hashOf(nameOf(table));
}

function hashOf(text: string): string {
  return createHash("md5").update(text).digest("hex").slice(0, 16);
}

/** The triggers of a table. Pure. */
export function wantedTriggers(schema: string, { level, key }: TriggerTable): readonly WantedTrigger[] {
  const prefix = triggerPrefix(schema);
  const statement = (event: "insert" | "update" | "delete", table: "old" | "new"): WantedTrigger => ({
    name: `${prefix}${event}`,
    type: bits[event],
    when: `after ${event}`,
    forEach: `referencing ${table} table as ${transitionTable} for each statement`,
    ...(table === "old" ? { oldTable: transitionTable } : { newTable: transitionTable }),
  });
  const truncate: WantedTrigger = {
    name: `${prefix}truncate`,
    type: bits.truncate,
    when: "after truncate",
    forEach: "for each statement",
  };
  if (level === "row") {
    const every = {
      name: `${prefix}row`,
      type: bits.row | bits.insert | bits.update | bits.delete,
      when: "after insert or update or delete",
      forEach: "for each row",
    };
    return [every, truncate];
  }
  // Transition tables don't pair a row's old and new version: rows whose key changes are seen one by one, and cost the others one comparison.
  // By their bytes: keys that are equal to the type ('a' and 'A' of citext) are two texts, and two rows of a target.
  const rowOf = (row: "old" | "new"): string =>
    `row(${key.map((name) => `${row}.${quoteName(name)}`).join(", ")})`;
  const keyChange: WantedTrigger = {
    name: `${prefix}key`,
    type: bits.row | bits.update,
    when: "after update",
    forEach: `for each row when (pg_catalog.record_image_ne(${rowOf("old")}, ${rowOf("new")}))`,
    columns: key,
  };
  return [
    statement("insert", "new"),
    statement("update", "new"),
    statement("delete", "old"),
    keyChange,
    truncate,
  ];
}

/** Makes a trigger anew. It fires whatever `session_replication_role` is: rows that a replication brings are changes too. Pure. */
export function createTrigger(
  table: Pick<TriggerTable, "namespace" | "name">,
  { name, when, forEach }: WantedTrigger,
  execute: string,
): string {
  const relation = nameOf(table);
  return `drop trigger if exists ${quoteName(name)} on ${relation};
create trigger ${quoteName(name)} ${when} on ${relation} ${forEach} execute function ${execute}();
alter table ${relation} enable always trigger ${quoteName(name)};`;
}
