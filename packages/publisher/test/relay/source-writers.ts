import {
  isLockstepError,
  type Engine,
  type OutboxWriter,
  type RunStatement,
  type StreamEntry,
} from "@lockstep/core";
import { mysqlOutboxWriter, postgresOutboxWriter } from "@lockstep/outbox";
import { createConnection } from "mysql2/promise";
import pg from "pg";

/** Sessions that write a small table and note it in the outbox, as an application would. */
export interface SourceWriters extends AsyncDisposable {
  /** Runs `transactions` random transactions on each of several sessions at once; some roll back. */
  write(transactions: number): Promise<void>;
  /** The table's rows: key → note. */
  rows(): Promise<ReadonlyMap<string, string>>;
}

interface Session {
  readonly run: RunStatement;
  close(): Promise<void>;
}

/** What the engines don't have in common. */
interface Dialect {
  connect(url: string): Promise<Session>;
  readonly writer: () => OutboxWriter;
  /** Namespace of the table. */
  readonly namespace: (url: string) => string;
  readonly upsert: string;
  /** Locks a row if it is there. */
  readonly lock: string;
  readonly remove: string;
}

const dialects: Readonly<Record<Engine, Dialect>> = {
  postgres: {
    async connect(url) {
      const client = new pg.Client(url);
      await client.connect();
      return {
        run: async (sql, parameters) =>
          (await client.query(sql, parameters ? [...parameters] : undefined)).rows,
        close: () => client.end(),
      };
    },
    writer: () => postgresOutboxWriter(),
    namespace: () => "public",
    upsert: "insert into public.item values ($1, $2) on conflict (id) do update set note = excluded.note",
    lock: "select 1 as one from public.item where id = $1 for update",
    remove: "delete from public.item where id = $1",
  },
  mysql: {
    async connect(url) {
      const connection = await createConnection({
        uri: url,
        supportBigNumbers: true,
        bigNumberStrings: true,
      });
      await connection.query("set session transaction isolation level read committed");
      return {
        run: async (sql, parameters) => {
          const [rows] = await connection.query(sql, parameters ? [...parameters] : []);
          return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
        },
        close: () => connection.end(),
      };
    },
    writer: () => mysqlOutboxWriter(),
    namespace: (url) => new URL(url).pathname.slice(1),
    upsert: "insert into item values (?, ?) on duplicate key update note = values(note)",
    lock: "select 1 as one from item where id = ? for update",
    remove: "delete from item where id = ?",
  },
};

/** Makes table and outbox in a database and opens sessions. */
export async function openSourceWriters(engine: Engine, url: string, count = 4): Promise<SourceWriters> {
  const dialect = dialects[engine];
  const table = { namespace: dialect.namespace(url), name: "item" };
  const sessions = await Promise.all(Array.from({ length: count }, () => dialect.connect(url)));
  const { run } = sessions[0]!;
  await run(`create table ${table.namespace}.item (id bigint primary key, note varchar(60) not null)`);
  await dialect.writer().ensure(run);
  await dialect.writer().describe(run, [table]);
  return {
    async write(transactions) {
      await Promise.all(
        sessions.map(async (session) => {
          for (let i = 0; i < transactions; i++) await transact(dialect, table, session.run);
        }),
      );
    },
    async rows() {
      const rows = await run(`select id, note from ${table.namespace}.item`);
      return new Map(rows.map((row) => [String(row["id"]), String(row["note"])]));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

async function transact(
  { writer, upsert, lock, remove }: Dialect,
  table: { readonly namespace: string; readonly name: string },
  run: RunStatement,
): Promise<void> {
  const size = Math.random() < 0.05 ? 60 : 1 + Math.floor(Math.random() * 4);
  const ids = Array.from({ length: size }, () => Math.floor(Math.random() * 500)).toSorted((a, b) => a - b);
  const touched: number[] = [];
  await run("begin");
  try {
    for (const id of new Set(ids)) {
      const isRemoved = Math.random() < 0.2;
      // Capture notes the rows that a write hit. One that isn't there can't be locked: somebody may be inserting it now.
      if (isRemoved && (await run(lock, [id])).length === 0) continue;
      await (isRemoved ? run(remove, [id]) : run(upsert, [id, `note ${Math.random()}`]));
      touched.push(id);
    }
    const notes = touched.map((id) => ({ table, op: "update", key: [String(id)] }) as const);
    if (notes.length > 0) await writer().append(run, notes, {});
  } catch (error) {
    // A victim of a deadlock, as any application has them now and then.
    if (!isDeadlock(error)) throw error;
    return void (await run("rollback"));
  }
  await run(Math.random() < 0.1 ? "rollback" : "commit");
}

function isDeadlock(error: unknown): boolean {
  const cause = isLockstepError(error) ? error.cause : error;
  return (
    cause instanceof Error && "code" in cause && ["40P01", "ER_LOCK_DEADLOCK"].includes(String(cause.code))
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
