import type { OutboxWriter, RunStatement, StreamEntry } from "@lockstep/core";
import { postgresOutboxWriter } from "@lockstep/outbox";
import pg from "pg";

const table = { namespace: "public", name: "item" };

/** Sessions that write a small table and note it in the outbox, as an application would. */
export interface PostgresWriters extends AsyncDisposable {
  /** Runs `transactions` random transactions on each of several sessions at once; some roll back, some stay open for a while. */
  write(transactions: number): Promise<void>;
  /** The table's rows: key → note. */
  rows(): Promise<ReadonlyMap<string, string>>;
}

/** Makes table and outbox in a database and opens sessions. */
export async function openPostgresWriters(url: string, sessions = 4): Promise<PostgresWriters> {
  const clients = Array.from({ length: sessions }, () => new pg.Client(url));
  for (const client of clients) await client.connect();
  const [first] = clients;
  const writer = postgresOutboxWriter();
  await first!.query("create table public.item (id bigint primary key, note text not null)");
  await writer.ensure(runOn(first!));
  await writer.describe(runOn(first!), [table]);
  return {
    async write(transactions) {
      await Promise.all(clients.map((client) => writeRandomly(client, writer, transactions)));
    },
    async rows() {
      const { rows } = await first!.query<{ id: string; note: string }>("select id, note from public.item");
      return new Map(rows.map((row) => [row.id, row.note]));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

function runOn(client: pg.Client): RunStatement {
  return async (sql, parameters) =>
    (await client.query<Record<string, unknown>>(sql, parameters ? [...parameters] : undefined)).rows;
}

async function writeRandomly(client: pg.Client, writer: OutboxWriter, transactions: number): Promise<void> {
  for (let i = 0; i < transactions; i++) {
    const size = Math.random() < 0.05 ? 60 : 1 + Math.floor(Math.random() * 4);
    // In key order, so that sessions don't deadlock.
    const ids = Array.from({ length: size }, () => Math.floor(Math.random() * 500)).toSorted((a, b) => a - b);
    await client.query("begin");
    for (const id of new Set(ids)) await changeRow(client, id);
    await writer.append(
      runOn(client),
      ids.map((id) => ({ table, op: "update", key: [String(id)] })),
      {},
    );
    await client.query(Math.random() < 0.1 ? "rollback" : "commit");
  }
}

async function changeRow(client: pg.Client, id: number): Promise<void> {
  if (Math.random() < 0.2) {
    await client.query("delete from public.item where id = $1", [id]);
    return;
  }
  await client.query(
    `insert into public.item values ($1, gen_random_uuid()::text)
     on conflict (id) do update set note = excluded.note`,
    [id],
  );
}

/** The rows that a reader of these entries ends up with: key → note. */
export function applied(entries: readonly StreamEntry[]): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  for (const { key, image } of entries.flatMap((entry) => entry.events)) {
    const [id] = JSON.parse(key) as [string];
    if (image === undefined) rows.delete(id);
    else rows.set(id, (JSON.parse(image) as [string, string])[1]);
  }
  return rows;
}
