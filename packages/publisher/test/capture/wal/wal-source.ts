import {
  silentLogger,
  type CapturePlan,
  type ChangeLog,
  type LoggedEvent,
  type Logger,
  type OutboxWriter,
  type Position,
  type RunStatement,
  eventsOf,
} from "@lockstep/core";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { eventually, freshPostgres } from "@lockstep/testing";
import pg from "pg";
import { captureOf, installAtSource, removeAtSource } from "../../../src/capture/index.js";
import { postgresWalLog, type WalLogOptions } from "../../../src/capture/wal/wal-log.js";

type Rows = readonly Record<string, string | null>[];

/** A source whose write-ahead log is captured. Closes what it opened. */
export interface WalSource extends AsyncDisposable {
  readonly url: string;
  readonly writer: OutboxWriter;
  /** Runs SQL on the application's connection. */
  sql(text: string, parameters?: readonly unknown[]): Promise<Rows>;
  /** Another connection. */
  connect(): Promise<pg.Client>;
  plan(...tables: readonly string[]): Promise<CapturePlan>;
  /** Captures these tables of the schema `public`. */
  install(...tables: readonly string[]): Promise<void>;
  /** The same as another process does it, over a connection of its own. */
  installBeside(...tables: readonly string[]): Promise<void>;
  remove(...tables: readonly string[]): Promise<void>;
  log(options?: Partial<WalLogOptions>): ChangeLog;
}

/** An empty database with an outbox; `url` names one of the test's own. */
export async function openWalSource(url?: string, logger: Logger = silentLogger): Promise<WalSource> {
  const database = url === undefined ? await freshPostgres() : { url, drop: async () => undefined };
  const clients: pg.Client[] = [];
  const logs: ChangeLog[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: database.url });
    client.on("error", () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const client = await connect();
  const sql: WalSource["sql"] = async (text, parameters) =>
    (await client.query<Record<string, string | null>>(text, parameters as unknown[])).rows ?? [];
  const capture = captureOf("wal", {
    engine: "postgres",
    connection: database.url,
    name: "test",
    outbox: {},
    logger,
  });
  const writer = postgresOutboxWriter();
  await writer.ensure(sql);
  const named = (tables: readonly string[]) => tables.map((name) => ({ namespace: "public", name }));
  return {
    url: database.url,
    writer,
    sql,
    connect,
    plan: (...tables) => capture.plan(sql, named(tables)),
    async install(...tables) {
      await installAtSource(capture, sql, named(tables));
    },
    async installBeside(...tables) {
      const other = await connect();
      const run: RunStatement = async (text, parameters) =>
        (await other.query(text, parameters as unknown[])).rows;
      await installAtSource(capture, run, named(tables));
    },
    async remove(...tables) {
      await removeAtSource(capture, sql, named(tables));
    },
    log(options = {}) {
      const log = postgresWalLog({ connection: database.url, source: "test", logger, ...options });
      logs.push(log);
      return log;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(logs.map((log) => log.close()));
      await Promise.all(clients.map((c) => c.end()));
      await database.drop();
    },
  };
}

/** Reads a log as a relay does: cut, read, again and again. */
export class LogFollower {
  readonly events: LoggedEvent[] = [];
  #at: Position;

  constructor(
    private readonly log: ChangeLog,
    at: Position,
    /** Gives up the lead: another log may read. */
    readonly release: () => Promise<void> = async () => undefined,
  ) {
    this.#at = at;
  }

  /** Leads, and begins where the log stands. */
  static async lead(log: ChangeLog, at?: Position): Promise<LogFollower> {
    const { release } = await eventually(() => log.lead(), { what: "the lead" });
    return new LogFollower(log, at ?? (await log.top()), release);
  }

  get at(): Position {
    return this.#at;
  }

  /** Takes what there is. */
  async look(pageEvents?: number): Promise<void> {
    await this.log.cut();
    for await (const page of this.log.read(this.#at, pageEvents === undefined ? {} : { pageEvents })) {
      this.events.push(...eventsOf(page));
      const last = page.at(-1)!;
      this.#at = `${last.tick}-${BigInt(last.ordinal)}`;
    }
  }

  /** Takes until there are `n` events. */
  async until(n: number, pageEvents?: number): Promise<readonly LoggedEvent[]> {
    await eventually(
      async () => {
        await this.look(pageEvents);
        return this.events.length >= n;
      },
      { what: `${n} events (there are ${this.events.length})` },
    );
    return this.events;
  }
}

/** What an event says, briefly: op, key, image, previous key. */
export function told({ op, key, image, before }: LoggedEvent): string {
  return [op, key, image, before === undefined ? undefined : `from ${before}`].filter(Boolean).join(" ");
}
