import { createHash } from "node:crypto";
import { outboxTable } from "../outbox-table.js";
import { quoteText } from "./quote.js";

/** Where the outbox lives. */
export interface MysqlOutboxOptions {
  /** Beginning of the names of Lockstep's own tables, in the connection's database. Default `lockstep_`. */
  readonly prefix?: string;
  /** Name of the outbox itself. Default: `outbox` behind the prefix. */
  readonly table?: string;
}

/** The same, said whole. */
export interface OutboxPlace {
  readonly prefix: string;
  readonly table: string;
}

const others = ["tick", "table_schema", "target", "state", "log_mark", "job", "schedule", "cascade"];

/** Pure. @throws LockstepError CONFIG_INVALID for a name that can't be the outbox's. */
export function outboxPlace({ prefix = "lockstep_", table }: MysqlOutboxOptions = {}): OutboxPlace {
  if (table === undefined) return { prefix, table: `${prefix}outbox` };
  return { prefix, table: outboxTable(table, (name) => others.some((other) => name === prefix + other)) };
}

/** The outbox's comment: a table that bears it was made as the outbox of this place. Pure. */
export function outboxMark({ prefix }: OutboxPlace): string {
  const hash = createHash("sha256").update(prefix).digest("hex").slice(0, 12);
  return `lockstep outbox ${hash}`;
}

/** Whether a table of the connection's database is Lockstep's own. Pure. */
export function isOwnTable({ prefix, table }: OutboxPlace, name: string): boolean {
  return name === table || name.startsWith(prefix);
}

/** The condition that the table named in this column isn't Lockstep's own. Pure. */
export function notOwnTable({ prefix, table }: OutboxPlace, column: string): string {
  return `LEFT(${column}, ${prefix.length}) <> ${quoteText(prefix)} AND ${column} <> ${quoteText(table)}`;
}
