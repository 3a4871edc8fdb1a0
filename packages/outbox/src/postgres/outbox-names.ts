import { LockstepError } from "@lockstep/core";
import { outboxTable } from "../outbox-table.js";
import { quoteName } from "./quote.js";

/** Where the outbox lives. */
export interface PostgresOutboxOptions {
  /** Schema of Lockstep's own tables. Default `lockstep`. */
  readonly schema?: string;
  /** Name of the outbox itself, in that schema. Default `outbox`. */
  readonly table?: string;
}

/** An outbox's names as statements use them. */
export interface OutboxNames {
  /** The schema, as it is. */
  readonly schema: string;
  /** The schema, quoted. */
  readonly s: string;
  /** The outbox, as it is. */
  readonly table: string;
  /** The outbox with its schema, quoted. */
  readonly outbox: string;
}

/** What else is in the schema. */
const others = [
  "tick",
  "table_schema",
  "target",
  "state",
  "job",
  "schedule",
  "tail",
  "wal",
  "wal_schema",
  "wal_widened",
];
const relations = [...others, "outbox_seq", "table_schema_version", "job_due", "job_live"];
const isTaken = (name: string): boolean => relations.includes(name.replace(/_pkey$/, ""));

/** Pure. @throws LockstepError CONFIG_INVALID for a name that can't be the outbox's. */
export function outboxNames({
  schema = "lockstep",
  table = "outbox",
}: PostgresOutboxOptions = {}): OutboxNames {
  const s = quoteName(schema);
  // Functions name it, in dollar quotes.
  if (/\$\w*\$/.test(schema)) {
    throw new LockstepError("CONFIG_INVALID", `outbox.schema: ${JSON.stringify(schema)} must not hold two $`);
  }
  return { schema, s, table, outbox: `${s}.${quoteName(outboxTable(table, isTaken))}` };
}
