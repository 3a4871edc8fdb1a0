import { createHash } from "node:crypto";
import { quoteName } from "../quote.js";
import { transitionTable } from "./statements.js";
import { hasPlainKey, nameOf, type TriggerTable } from "./trigger-table.js";

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
  /** Fires at the end of the transaction. */
  readonly isDeferred?: true;
  /** What it runs, when that is not the table's own function. */
  readonly function?: string;
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

/** A short hash for names. */
export function hashOf(text: string): string {
  return createHash("md5").update(text).digest("hex").slice(0, 16);
}

/** The triggers of a table. Pure. */
export function wantedTriggers(schema: string, table: TriggerTable): readonly WantedTrigger[] {
  const own = table.level === "row" ? rowTriggers(schema) : statementTriggers(schema, table);
  return table.hasDeferrable ? [...own, tailTrigger(schema)] : own;
}

/** What a partition needs beside the triggers that it has from its table: it is not to be emptied by itself. Pure. */
export function partitionTrigger(schema: string): WantedTrigger {
  return {
    name: `${triggerPrefix(schema)}partition`,
    type: bits.truncate | bits.before,
    when: "before truncate",
    forEach: "for each statement",
    function: `${quoteName(schema)}.refuse_truncate`,
  };
}

/** See `shared-functions.ts`. */
function tailTrigger(schema: string): WantedTrigger {
  return {
    name: `${triggerPrefix(schema)}tail`,
    type: bits.row | bits.insert | bits.update | bits.delete,
    when: "after insert or update or delete",
    forEach: "deferrable initially deferred for each row",
    isDeferred: true,
    function: `${quoteName(schema)}.note_tail`,
  };
}

function rowTriggers(schema: string): readonly WantedTrigger[] {
  const prefix = triggerPrefix(schema);
  const every = {
    name: `${prefix}row`,
    type: bits.row | bits.insert | bits.update | bits.delete,
    when: "after insert or update or delete",
    forEach: "for each row",
  };
  // Two: between them the partitions' own triggers let a TRUNCATE of the whole table through.
  const truncate = (suffix: string, when: "before" | "after"): WantedTrigger => ({
    name: `${prefix}${suffix}`,
    type: bits.truncate | (when === "before" ? bits.before : 0),
    when: `${when} truncate`,
    forEach: "for each statement",
  });
  return [every, truncate("truncate", "before"), truncate("truncated", "after")];
}

function statementTriggers(schema: string, table: TriggerTable): readonly WantedTrigger[] {
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
  // Transition tables don't pair a row's old and new version: rows whose key changes are seen one by one, and cost the others one comparison.
  const keyChange: WantedTrigger = {
    name: `${prefix}key`,
    type: bits.row | bits.update,
    when: "after update",
    forEach: `for each row when (${keyChanges(table)})`,
    columns: table.key,
  };
  return [
    statement("insert", "new"),
    statement("update", "new"),
    statement("delete", "old"),
    keyChange,
    truncate,
  ];
}

/** By their bytes: keys that are equal to the type ('a' and 'A' of citext) are two texts, and two rows of a target. Where they can't be, the cheaper question. */
function keyChanges(table: Pick<TriggerTable, "key" | "columns">): string {
  const names = table.key.map((name) => quoteName(name));
  if (hasPlainKey(table))
    return names.map((name) => `old.${name} operator(pg_catalog.<>) new.${name}`).join(" or ");
  const rowOf = (row: "old" | "new"): string => `row(${names.map((name) => `${row}.${name}`).join(", ")})`;
  return `pg_catalog.record_image_ne(${rowOf("old")}, ${rowOf("new")})`;
}

/** Makes a trigger anew. It fires whatever `session_replication_role` is: rows that a replication brings are changes too. Pure. */
export function createTrigger(
  table: Pick<TriggerTable, "namespace" | "name">,
  { name, when, forEach, isDeferred, function: other }: WantedTrigger,
  execute: string,
): string {
  const relation = nameOf(table);
  return `drop trigger if exists ${quoteName(name)} on ${relation};
create ${isDeferred ? "constraint " : ""}trigger ${quoteName(name)} ${when} on ${relation} ${forEach} execute function ${other ?? execute}();
alter table ${relation} enable always trigger ${quoteName(name)};`;
}
