import type { CaptureKind, OutboxWriter, RunStatement } from "@lockstep/core";
import { startService } from "@lockstep/example-shop";
import {
  claimCapture,
  captureOf,
  installAtSource,
  outboxWriterOf,
  sourceOfUrl,
} from "@lockstep/publisher/capture";
import { silentLogger } from "@lockstep/core";
import { keysOf } from "@lockstep/stream";
import { eventually, startMariaDb, startPostgres, startRedis } from "@lockstep/testing";
import { Redis } from "ioredis";
import { setTimeout as pause } from "node:timers/promises";
import mysql from "mysql2/promise";
import pg from "pg";

/** An engine under comparison. */
export type Engine = "postgres" | "mariadb";

/** One contender: a server of its own, written to by one client, its reader beside it. */
export interface BenchSource extends AsyncDisposable {
  /** One row in a transaction of its own. */
  single(n: number): Promise<void>;
  /** A statement that changes a hundred rows. */
  bulk(n: number): Promise<void>;
  /** Resolves when the reader has read everything: its work must not fall on whoever is measured next. Gives how long that took, ms. */
  settled(): Promise<number>;
}

const rows = 10_000;
const quietMs = 100;
const table = { namespace: "public", name: "item" };

const columns: Readonly<Record<Engine, string>> = {
  postgres: `id bigint primary key, a int, b text, c text, d numeric(12,2), e timestamptz, f boolean, g text, h bigint, i text, j uuid, k jsonb`,
  mariadb: `id bigint primary key, a int, b text, c text, d decimal(12,2), e timestamp(6), f boolean, g text, h bigint, i text, j char(36), k json`,
};

const fill: Readonly<Record<Engine, string>> = {
  postgres: `insert into item select n, n, 'text ' || n, repeat('x', 60), n / 3.0, now(), true, repeat('y', 40), n * 7, 'z', gen_random_uuid(), '{"a": 1, "b": [1, 2, 3]}' from generate_series(1, ${rows}) n`,
  mariadb: `insert into item select seq, seq, concat('text ', seq), repeat('x', 60), seq / 3.0, now(6), true, repeat('y', 40), seq * 7, 'z', uuid(), '{"a": 1, "b": [1, 2, 3]}' from seq_1_to_${rows}`,
};

/** Opens one. Without `capture` it is the one that the others are held against. */
export async function openSource(engine: Engine, capture?: CaptureKind): Promise<BenchSource> {
  const server = await (engine === "postgres"
    ? startPostgres({ settings: { fsync: "on" } })
    : startMariaDb({ settings: { innodb_flush_log_at_trx_commit: "1" } }));
  const client = engine === "postgres" ? await openPostgres(server.url) : await openMariaDb(server.url);
  await client.run(`create table item (${columns[engine]})`);
  await client.run(fill[engine]);
  const reader = capture && (await read(server.url, capture, client.run));
  const write = capture === "subscriber" ? noted(client, reader!.writer) : client.write;
  // A reader that is only just starting takes a core to load its code, and reads nothing.
  await reader?.begins(() => write([1]));
  return {
    single: (n) => write([1 + ((n * 37) % rows)]),
    bulk: (n) => write(Array.from({ length: 100 }, (_, i) => 1 + (((n * 100) % (rows - 100)) + i))),
    settled: async () => (await reader?.settled()) ?? 0,
    async [Symbol.asyncDispose]() {
      await reader?.stop();
      await client.close();
      await server.stop();
    },
  };
}

interface Client {
  readonly run: RunStatement;
  /** Changes the rows of these consecutive ids in one statement. */
  write(ids: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

async function openPostgres(url: string): Promise<Client> {
  const client = new pg.Client(url);
  await client.connect();
  const one = { name: "one", text: "update item set a = a + 1, e = now() where id = $1" };
  const many = { name: "many", text: "update item set a = a + 1, e = now() where id between $1 and $2" };
  return {
    run: async (sql, values = []) => (await client.query(sql, [...values])).rows as Record<string, unknown>[],
    write: async (ids) =>
      void (await client.query(
        ids.length === 1 ? { ...one, values: [...ids] } : { ...many, values: [ids[0], ids.at(-1)] },
      )),
    close: () => client.end(),
  };
}

async function openMariaDb(url: string): Promise<Client> {
  const client = await mysql.createConnection(url);
  return {
    run: async (sql, values = []) => {
      const [answer] = await client.query(sql, [...values]);
      return Array.isArray(answer) ? (answer as Record<string, unknown>[]) : [];
    },
    write: async (ids) =>
      void (await client.execute("update item set a = a + 1, e = now(6) where id between ? and ?", [
        ids[0]!,
        ids.at(-1)!,
      ])),
    close: () => client.end(),
  };
}

/** Puts the capture in place and starts the relay that reads it, as a process of its own. */
async function read(url: string, kind: CaptureKind, run: RunStatement) {
  const name = "bench";
  const redis = await startRedis();
  const source = sourceOfUrl(url, { name, outbox: {}, logger: silentLogger });
  const writer = outboxWriterOf(source);
  await writer.ensure(run);
  await claimCapture(writer, run, kind);
  const named = { ...table, ...(source.engine === "mysql" && { namespace: new URL(url).pathname.slice(1) }) };
  await writer.describe(run, [named]);
  await installAtSource(captureOf(kind, source), run, [named]);
  const config = { redis: redis.url, sources: { [name]: { url, capture: kind } }, logLevel: "warn" };
  const relay = await startService("@lockstep/relay", config, true);
  const stream = new Redis(redis.url);
  const feed = keysOf(name).feed({ partition: 0 });
  /** The id of the newest entry. */
  const newest = async (): Promise<string | undefined> => {
    const facts = (await stream.xinfo("STREAM", feed).catch(() => [])) as unknown[];
    return facts[facts.indexOf("last-generated-id") + 1] as string | undefined;
  };
  return {
    writer,
    /** Resolves when what `write` writes arrives in the stream. */
    async begins(write: () => Promise<void>) {
      const before = await eventually(newest, { timeoutMs: 60_000 });
      await eventually(() => write().then(async () => (await newest()) !== before), { intervalMs: 100 });
    },
    /** When something new came last, counted from now: nothing more has come for longer than a relay may rest. */
    async settled() {
      const start = performance.now();
      let last = await newest();
      let at = start;
      while (performance.now() - at < quietMs) {
        await pause(5);
        const now = await newest();
        if (now !== last) at = performance.now();
        last = now;
      }
      return at - start;
    },
    async stop() {
      stream.disconnect();
      await relay[Symbol.asyncDispose]();
      await redis.stop();
    },
  };
}

/** The same writes as subscriber capture sends them: in a transaction that begins with the write and flushes, with its COMMIT, what it noted. */
function noted({ run }: Client, writer: OutboxWriter): Client["write"] {
  return async (ids) => {
    await run(`begin; update item set a = a + 1, e = now() where id between ${ids[0]} and ${ids.at(-1)}`);
    const notes = ids.map((id) => ({ table, op: "update", key: [String(id)] }) as const);
    await run(`${writer.appendStatement!(notes, {})}; commit`);
  };
}
