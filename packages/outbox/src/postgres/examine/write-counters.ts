import type pg from "pg";
import type { TransactionCount } from "../../coverage-finding.js";
import { fingerprintOf } from "../packed.js";
import { quoteName, quoteText } from "../quote.js";
import type { Look } from "./server.js";

/**
 * Puts a row trigger on every captured table that notes the transaction, until the window ends: a doctor that is killed leaves triggers
 * that do nothing any more, and the next one removes them. Locks are waited for two seconds at most.
 */
export async function armCounters(look: Look, windowMs: number): Promise<void> {
  const { s } = look;
  await disarmCounters(look);
  await inTransaction(look, async (client) => {
    await client.query(`create table ${s}.doctor_note (rel oid, xid xid8, primary key (rel, xid))`);
    await client.query(`create function ${s}.doctor_note() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $fn$ begin
  if clock_timestamp() < ${quoteText(await deadline(client, windowMs))}::timestamptz then
    insert into ${s}.doctor_note values (tg_relid, pg_current_xact_id()) on conflict do nothing;
  end if;
  return null;
end $fn$`);
    for (const table of await capturedTables(client, s)) {
      await client.query(`create trigger lockstep_doctor after insert or update or delete on ${table}
  for each row execute function ${s}.doctor_note()`);
    }
  });
}

/** Removes what {@link armCounters} made. */
export async function disarmCounters(look: Look): Promise<void> {
  const { s, schema } = look;
  await inTransaction(look, async (client) => {
    const { rows } = await client.query<{ table: string }>(
      `select t.tgrelid::regclass::text as table from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         join pg_namespace n on n.oid = p.pronamespace
        where t.tgname = 'lockstep_doctor' and n.nspname = $1 and t.tgparentid = 0`,
      [schema],
    );
    for (const { table } of rows) await client.query(`drop trigger lockstep_doctor on ${table}`);
    await client.query(`drop function if exists ${s}.doctor_note()`);
    await client.query(`drop table if exists ${s}.doctor_note`);
  });
}

/** Per table how many committed transactions changed it in the window, and how many of them left no event of it in the outbox. */
export function missedInOutbox(look: Look): Promise<readonly TransactionCount[]> {
  const captured = `select from ${look.outbox} o join ${look.s}.table_schema k on k.fingerprint = ${fingerprintOf("o")}
 where o.xid = d.xid and k.rel = d.rel`;
  return look.connections.use((client) => countTransactions(look, client, captured));
}

/** The same of those that a query, with `d.xid` and `d.rel` of a transaction, doesn't find. `with`: what stands before it. */
export async function countTransactions(
  { s }: Look,
  client: pg.ClientBase,
  captured: string,
  { with: before = "", values = [] }: { readonly with?: string; readonly values?: readonly unknown[] } = {},
): Promise<readonly TransactionCount[]> {
  const { rows } = await client.query<{ table: string; written: string; missed: string }>(
    `${before} select format('%I.%I', n.nspname, c.relname) as table, count(*) as written,
            count(*) filter (where not exists (${captured})) as missed
       from (select distinct coalesce(pg_partition_root(rel)::oid, rel) as rel, xid from ${s}.doctor_note) d
       join pg_class c on c.oid = d.rel join pg_namespace n on n.oid = c.relnamespace
      group by 1 order by 1`,
    [...values],
  );
  return rows.map(({ table, written, missed }) => ({
    table,
    written: Number(written),
    missed: Number(missed),
  }));
}

async function capturedTables(client: pg.ClientBase, s: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ namespace: string; name: string }>(
    `select distinct n.nspname as namespace, c.relname as name from ${s}.table_schema k
       join pg_class c on c.oid = k.rel join pg_namespace n on n.oid = c.relnamespace`,
  );
  return rows.map(({ namespace, name }) => `${quoteName(namespace)}.${quoteName(name)}`);
}

async function deadline(client: pg.ClientBase, windowMs: number): Promise<string> {
  const { rows } = await client.query<{ until: string }>(
    "select (clock_timestamp() + $1 * interval '1 millisecond')::text as until",
    [windowMs],
  );
  return rows[0]!.until;
}

function inTransaction({ connections }: Look, work: (client: pg.ClientBase) => Promise<void>): Promise<void> {
  return connections.use(async (client) => {
    await client.query("begin");
    // A lock on a busy table that is waited for blocks everybody behind it.
    await client.query("set local lock_timeout = '2s'");
    await work(client);
    await client.query("commit");
  });
}
