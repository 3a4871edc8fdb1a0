import { setTimeout as pause } from "node:timers/promises";
import {
  type ChangedRows,
  type ClaimedJob,
  type ImageWriter,
  type JobStore,
  positionOf,
} from "@lockstep/core";
import {
  mysqlChangedRows,
  mysqlImageWriter,
  mysqlJobStore,
  mysqlOutboxWriter,
  postgresChangedRows,
  postgresImageWriter,
  postgresJobStore,
  postgresOutboxWriter,
} from "@lockstep/outbox";
import { eventually, freshMariaDb, freshPostgres, openSide, type Side } from "@lockstep/testing";
import { Flow } from "../../src/full/flow.js";
import { Pace } from "../../src/full/pace.js";
import {
  incrementalKind,
  type IncrementalTable,
  planIncremental,
} from "../../src/incremental/incremental-job.js";
import { pass } from "../../src/incremental/passes.js";
import type { IncrementalWork } from "../../src/incremental/room.js";
import type { SentRows } from "../../src/incremental/sent-rows.js";

/** A row of the outbox: its op's letter, and its cells, or its key when it is a delete. */
export type SentRow = readonly [op: string, ...cells: (string | null)[]];

/** A source, and an outbox beside it that no relay reads. */
export interface Stage extends AsyncDisposable {
  readonly engine: Side["engine"];
  readonly source: Side;
  session(): Promise<Side & AsyncDisposable>;
  /** The source's address for another role. */
  urlOf(user: string, password: string): string;
  readonly rows: ChangedRows;
  /** A process that works on one job for these tables. */
  begin(...tables: readonly Watched[]): Promise<StagedJob>;
}

/** A table of the stage, by its name. */
type Watched = { readonly name: string } & Partial<Omit<IncrementalTable, "table">>;

/** A job on the stage. */
interface StagedJob {
  readonly work: IncrementalWork;
  /** One pass; gives what it has put into the outbox. `between`: called before each page is read. */
  pass(between?: () => Promise<unknown>): Promise<readonly SentRow[]>;
  /** What has been put into the outbox since; each row with its audience. */
  sent(
    work: () => Promise<unknown>,
  ): Promise<readonly (readonly [op: string, key: string, audience: string | null])[]>;
  /** Another process goes on with the job. */
  takeOver(): Promise<StagedJob>;
}

/** Opens one; its own tables are in the source's database. */
export async function openStage(kind: "postgres" | "mariadb"): Promise<Stage> {
  const { url, drop } = await (kind === "postgres" ? freshPostgres() : freshMariaDb());
  const isPostgres = kind === "postgres";
  const source = await openSide(url);
  const undo: (() => Promise<unknown>)[] = [drop, async () => source[Symbol.asyncDispose]()];
  const writer = isPostgres ? postgresOutboxWriter() : mysqlOutboxWriter();
  await writer.ensure((sql) => source.query(sql));
  const rows = isPostgres ? postgresChangedRows(url, "test") : mysqlChangedRows(url);
  const images = isPostgres ? postgresImageWriter() : mysqlImageWriter();
  const jobs = isPostgres
    ? postgresJobStore({ connection: url, source: "test" })
    : mysqlJobStore({ connection: url });
  const room: Room = { source, rows, images, jobs };
  undo.push(
    () => rows.close(),
    () => jobs.close(),
    async () => room.claimed?.[Symbol.asyncDispose](),
  );
  return {
    engine: source.engine,
    source,
    rows,
    async session() {
      const side = await openSide(url);
      undo.push(async () => side[Symbol.asyncDispose]());
      return side;
    },
    urlOf(user, password) {
      const own = new URL(url);
      [own.username, own.password] = [user, password];
      return own.href;
    },
    begin: (...tables) => begin(room, tables),
    async [Symbol.asyncDispose]() {
      for (const step of undo.toReversed()) await step();
    },
  };
}

interface Room {
  readonly source: Side;
  readonly rows: ChangedRows;
  readonly images: ImageWriter;
  readonly jobs: JobStore;
  claimed?: ClaimedJob;
}

async function begin(room: Room, watched: readonly Watched[]): Promise<StagedJob> {
  const { source, jobs } = room;
  for (const { id, state } of await jobs.list({ limit: 1 })) {
    if (state === "running") await jobs.move(id, "cancelled");
  }
  const tables = watched.map(({ name, ...settings }): IncrementalTable => {
    const table = { namespace: source.namespace, name };
    return { table, column: "changed_at", kind: "timestamp", overlapMs: 1_000, ...settings };
  });
  const options = { targets: [{ id: "mirror", name: "mirror" }], tables, deletes: false };
  const job = await jobs.begin({
    kind: incrementalKind,
    options,
    progress: planIncremental(options, undefined),
  });
  return claim(room, job.id);
}

async function claim(room: Room, id: string): Promise<StagedJob> {
  await room.claimed?.[Symbol.asyncDispose]();
  const claimed = await eventually(() => room.jobs.claim(id), { what: "the lock of the job before" });
  room.claimed = claimed;
  const job = await claimed.read();
  const sleep = async (ms: number): Promise<void> => void (await pause(ms));
  let beforePage: (() => Promise<unknown>) | undefined;
  const work: IncrementalWork = {
    claim: claimed,
    rows: {
      ...room.rows,
      async page(...asked) {
        await beforePage?.();
        return room.rows.page(...asked);
      },
    },
    images: room.images,
    options: job.options as IncrementalWork["options"],
    targets: [],
    flow: new Flow({
      barrier: async () => positionOf(1, 0),
      reached: async () => positionOf(1, 0),
      maxAheadRows: 1e9,
      sleep,
    }),
    pace: new Pace(undefined),
    // Small pages, so that a few rows make several.
    bounds: { maxRows: 4, maxBytes: 1_000_000, ms: 1e6 },
    settleMs: 100,
    stop: new AbortController().signal,
    now: () => performance.now(),
    sleep,
    progress: job.progress as IncrementalWork["progress"],
    told: () => undefined,
  };
  const sent = new Map<string, SentRows>();
  return {
    work,
    async pass(between) {
      beforePage = between;
      const from = await lastId(room.source);
      const ended = await pass(work, sent, false);
      if (ended !== undefined) throw new Error(`the pass was ${ended}`);
      return sentSince(room.source, from);
    },
    async sent(work) {
      const from = await lastId(room.source);
      await work();
      return addressedSince(room.source, from);
    },
    takeOver: () => claim(room, id),
  };
}

const names = {
  postgres: { outbox: "lockstep.outbox", id: "seq", key: "key" },
  mysql: { outbox: "lockstep_outbox", id: "id", key: "row_key" },
} as const;

async function lastId({ engine, query }: Side): Promise<string> {
  const { outbox, id } = names[engine];
  const [row] = await query(`select coalesce(max(${id}), 0) as last from ${outbox}`);
  return String(row!["last"]);
}

async function sentSince({ engine, query }: Side, from: string): Promise<readonly SentRow[]> {
  const { outbox, id, key } = names[engine];
  const rows = await query(
    `select op, ${key} as row_key, image from ${outbox} where ${id} > ${from} order by ${id}`,
  );
  return rows.map((row) => {
    const cells = JSON.parse(String(row["image"] ?? row["row_key"])) as (string | null)[];
    return [String(row["op"]), ...cells] as const;
  });
}

async function addressedSince(
  { engine, query }: Side,
  from: string,
): Promise<readonly (readonly [string, string, string | null])[]> {
  const { outbox, id, key } = names[engine];
  const rows = await query(
    `select op, ${key} as row_key, audience from ${outbox} where ${id} > ${from} order by ${id}`,
  );
  return rows.map((row) => {
    const [first] = JSON.parse(String(row["row_key"])) as string[];
    return [String(row["op"]), first!, row["audience"] === null ? null : String(row["audience"])];
  });
}
