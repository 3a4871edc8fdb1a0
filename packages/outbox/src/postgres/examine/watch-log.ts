import { randomBytes } from "node:crypto";
import type { Finding } from "@lockstep/core";
import type pg from "pg";
import { coverageOfTransactions, type TransactionCount } from "../../coverage-finding.js";
import type { Look } from "./server.js";
import { armCounters, countTransactions, disarmCounters } from "./write-counters.js";
import { publications } from "./written-tables.js";

/** A slot is given when every transaction that is open has ended: the doctor doesn't wait longer for that. */
const slotTimeoutMs = 10_000;

/**
 * Compares the transactions that changed captured tables, counted by the doctor's own triggers, with those in the log as the relay gets it:
 * through the same publications, from a slot of the doctor's own that ends with its connection.
 */
export async function watchLogByCounters(
  look: Look,
  window: () => Promise<unknown>,
  windowMs: number,
): Promise<readonly Finding[]> {
  return look.connections.use(async (client) => {
    const names = await publications(look, client);
    const slot = names.length === 0 ? undefined : await makeSlot(client);
    if (slot === undefined) return [notRead];
    try {
      await armCounters(look, windowMs);
      await window();
      return (await missedInLog(look, client, slot, names)).map((count) =>
        coverageOfTransactions(count, past),
      );
    } finally {
      await disarmCounters(look);
      await client.query("select pg_drop_replication_slot($1)", [slot]).catch(() => undefined);
    }
  });
}

const past = {
  did: "are not in the log that is read",
  advice:
    "See what capture.plan says of it; a table that is unlogged can't be captured: ALTER TABLE … SET LOGGED. Then verify the targets.",
};

const notRead: Finding = {
  check: "capture.coverage",
  level: "warning",
  subject: "source",
  message: "the log could not be read by the doctor itself: nothing is compared",
  advice:
    "Install the capture; leave a replication slot free; and look for a transaction that stays open: a new slot waits for it.",
};

async function makeSlot(client: pg.ClientBase): Promise<string | undefined> {
  const slot = `lockstep_doctor_${randomBytes(4).toString("hex")}`;
  try {
    await client.query(`set statement_timeout = ${slotTimeoutMs}`);
    await client.query("select pg_create_logical_replication_slot($1, 'pgoutput', true)", [slot]);
    return slot;
  } catch {
    return undefined;
  } finally {
    await client.query("reset statement_timeout");
  }
}

// A message of pgoutput: its letter, then the table's id. I, U and D are rows. Only the lower half of a transaction's id is in the log.
function missedInLog(
  look: Look,
  client: pg.ClientBase,
  slot: string,
  names: readonly string[],
): Promise<readonly TransactionCount[]> {
  const logged = `with message as materialized (
  select xid, ('x' || encode(substring(data from 2 for 4), 'hex'))::bit(32)::bigint::oid as rel
    from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2)
   where get_byte(data, 0) in (73, 85, 68)
), logged as materialized (select distinct xid::text, coalesce(pg_partition_root(rel)::oid, rel) as rel from message)`;
  return countTransactions(
    look,
    client,
    "select from logged l where l.xid = (d.xid::xid)::text and l.rel = d.rel",
    { with: logged, values: [slot, names.map((name) => `"${name}"`).join(",")] },
  );
}
