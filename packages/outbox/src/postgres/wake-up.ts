import { createHash } from "node:crypto";
import { quoteText } from "./quote.js";

/** How a writer and a waiting relay of one outbox find each other: a channel and an advisory lock of the database. */
export interface WakeUp {
  readonly channel: string;
  /** The relay holds this lock while it sleeps; a writer that can share it knows that the relay is awake. */
  readonly lock: bigint;
}

/** Channel and locks of the outbox in `schema`. Pure. */
export function wakeUpOf(schema: string): WakeUp {
  return { channel: `lockstep_${hashOf(schema).toString("hex")}`, lock: lockOf(`wake ${schema}`) };
}

/** An advisory lock's number. */
export function lockOf(name: string): bigint {
  return hashOf(name).readBigInt64BE();
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(`lockstep ${text}`).digest().subarray(0, 8);
}

/**
 * The writer's side, at the end of a flush. NOTIFY takes a database-wide lock at commit, so it is sent only to a relay that
 * sleeps (PROTOCOL.md 13). The shared lock is held until commit: a relay gets the lock alone only when no flush is in flight
 * whose writer saw it awake, so nothing is missed in between. `when`: a condition more, with `and` behind it.
 */
export function wakeStatement(schema: string, when = ""): string {
  const { channel, lock } = wakeUpOf(schema);
  return `if ${when} not pg_catalog.pg_try_advisory_xact_lock_shared(${lock}) then
    perform pg_catalog.pg_notify(${quoteText(channel)}, '');
  end if;`;
}
