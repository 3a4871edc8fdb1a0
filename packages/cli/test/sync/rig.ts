import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@lockstep/config";
import { type ConsumerSettings, startConsumer } from "@lockstep/consumer";
import { type CaptureKind, type JobStore, silentLogger } from "@lockstep/core";
import { jobStoreOf } from "@lockstep/jobs";
import {
  captureOf,
  installAtSource,
  outboxWriterOf,
  runAtSource,
  sourceOfUrl,
} from "@lockstep/publisher/capture";
import { startRelays } from "@lockstep/relay";
import { redisStatusReader } from "@lockstep/stream";
import {
  compareSides,
  type Comparison,
  eventually,
  freshRedis,
  NodeProcess,
  type Side,
} from "@lockstep/testing";
import { Redis } from "ioredis";
import { pino } from "pino";
import { runCli } from "../../src/index.js";
import { type Kind, openRigRoom } from "./rig-room.js";

export type { Kind };

/** Keys the hashes of mapped targets. */
const maskSecret = "a secret of thirty-two characters";

/** What a target can be: `redis` keeps its state in a PostgreSQL database, which stands for it as a side. */
export type TargetKind = Kind | "redis";

/** What a finished command said. */
export interface Said {
  readonly code: number;
  readonly out: readonly string[];
  readonly error: string;
  /** The last line, where it is an object. */
  json<T>(): T;
}

/** A captured source with rows that are older than its targets, a relay and a consumer, and the command line. */
export interface SyncRig extends AsyncDisposable {
  readonly source: Side;
  /** Runs SQL at the source, on a session of its own. */
  session(): Promise<Side & AsyncDisposable>;
  readonly targets: Readonly<Record<string, Side>>;
  /** The stores of targets that are hashes in Redis. */
  readonly caches: Readonly<Record<string, Redis>>;
  /** Runs `lockstep …` in this process. */
  lockstep(...args: readonly string[]): Promise<Said>;
  /** The same as a process that can be killed. */
  start(...args: readonly string[]): Promise<NodeProcess>;
  compare(target: string, tables?: readonly string[]): Promise<Comparison>;
  /** Takes everything out of Redis. */
  emptyRedis(): Promise<void>;
  /** Makes another source of a PostgreSQL one, whose positions begin at the lowest again. */
  replaceSource(): Promise<void>;
  /** What the lanes of a target last said of themselves. */
  laneStates(target: string): Promise<readonly string[]>;
  /** Ends the consumer, or starts it again. */
  stopConsumer(): Promise<void>;
  startConsumer(settings?: ConsumerSettings): Promise<void>;
  /** Another consumer, as a process that can be killed. */
  spawnConsumer(): Promise<NodeProcess>;
  /** The jobs of the source. */
  readonly jobs: JobStore;
}

/** Makes the tables by `setup`, then captures them, then registers the targets: the rows of `setup` are in no stream. */
export async function openSyncRig(options: {
  readonly kind: Kind;
  readonly capture: CaptureKind;
  readonly targets: Readonly<Record<string, TargetKind>>;
  readonly tables: readonly string[];
  readonly setup: readonly string[];
  /** Mappings of targets, by name; their functions use nothing but their row. Default: rows go as they are. */
  readonly map?: Readonly<Record<string, object>>;
  /** Conflict policies of targets, by name. Default: none. */
  readonly conflicts?: Readonly<Record<string, object>>;
  /** Default 1. */
  readonly partitions?: number;
  /** Tables that the targets get before they register. Default: Lockstep makes them. */
  readonly external?: readonly string[];
  /** Columns that are shown to nobody. Default none. */
  readonly maskColumns?: readonly string[];
  /** Where Lockstep's own tables are at the source. Default: the default. */
  readonly outbox?: { readonly schema?: string; readonly prefix?: string; readonly table?: string };
  /** Default none. */
  readonly schedules?: Readonly<Record<string, object>>;
}): Promise<SyncRig> {
  const room = await openRigRoom();
  const { folder, fresh, open } = room;
  const { url } = await fresh(options.kind);
  const redis = await freshRedis();
  room.undo(() => redis.drop());
  const source = await open(url);
  for (const statement of options.setup) await source.query(statement);

  const namespace = options.kind === "postgres" ? "public" : new URL(url).pathname.slice(1);
  const { outbox = {} } = options;
  const whereabouts = sourceOfUrl(url, { name: "shop", outbox, logger: silentLogger });
  const capture = captureOf(options.capture, whereabouts);
  const writer = outboxWriterOf(whereabouts);
  const tables = options.tables.map((name) => ({ namespace, name }));
  const install = () =>
    runAtSource(whereabouts, async (session) => {
      await writer.ensure(session);
      await writer.describe(session, tables);
      await writer.keepCapture(session, { kind: options.capture });
      await installAtSource(capture, session, tables);
    });
  await install();

  const targets: Record<string, Side> = {};
  const configured: Record<string, object> = {};
  const caches: Record<string, Redis> = {};
  for (const [name, kind] of Object.entries(options.targets)) {
    const database = await fresh(kind === "redis" ? "postgres" : kind);
    targets[name] = await open(database.url);
    for (const statement of options.external ?? []) await targets[name]!.query(statement);
    const type = kind === "postgres" ? "postgres" : "mysql";
    configured[name] = { type, url: database.url, schema: options.external ? "external" : "managed" };
    if (kind === "redis") {
      const store = await freshRedis();
      const client = (caches[name] = new Redis(store.url));
      room.undo(async () => (client.disconnect(), store.drop()));
      configured[name] = { type: "redis", url: store.url, state: database.url };
    }
    if (options.conflicts?.[name]) Object.assign(configured[name]!, { conflicts: options.conflicts[name] });
    if (options.map?.[name]) Object.assign(configured[name]!, { map: options.map[name], maskSecret });
  }
  const file = join(folder, "lockstep.config.mjs");
  const sources = { shop: { url, capture: options.capture, partitions: options.partitions ?? 1, outbox } };
  await writeFile(
    file,
    `export default ${codeOf({ redis: redis.url, sources, targets: configured, schedules: options.schedules ?? {}, status: { maskColumns: options.maskColumns ?? [] } })}`,
  );
  const config = await loadConfig({ file });
  const context = { config, logger: pino({ level: process.env["LOCKSTEP_TEST_LOG"] ?? "silent" }) };
  let relays = await startRelays(context);
  room.undo(async () => relays[Symbol.asyncDispose]());
  let consumer: Awaited<ReturnType<typeof startConsumer>> | undefined;
  const stopConsumer = async (): Promise<void> => {
    const stopping = consumer;
    consumer = undefined;
    await stopping?.[Symbol.asyncDispose]();
  };
  // These tests kill processes and resume their jobs themselves.
  const begin = async (settings: ConsumerSettings = { jobs: { quietMs: 600_000 } }): Promise<void> => {
    consumer = await startConsumer(context, settings);
  };
  room.undo(stopConsumer);
  await begin();
  const status = redisStatusReader({ redis: redis.url, source: "shop" });
  room.undo(() => status.close());
  const log = capture.changeLog();
  room.undo(() => log.close());
  await eventually(
    async () => (await log.targets()).length === Object.keys(targets).length * (options.partitions ?? 1),
    {
      what: "registered targets",
    },
  );
  for (const side of Object.values(targets)) await untilItHasACheckpoint(side);
  const main = new URL("../../../bin.js", import.meta.url).pathname;
  const consumerMain = new URL("../../../../../services/consumer/bin.js", import.meta.url).pathname;
  const jobs = jobStoreOf(whereabouts);
  room.undo(() => jobs.close());
  return {
    source,
    session: () => open(url),
    targets,
    caches,
    lockstep: (...args) => runHere([...args, "--config", file]),
    start: (...args) => NodeProcess.start({ main, args: [...args, "--config", file] }),
    compare: (name, only) => compareSides(source, targets[name]!, { tables: only ?? options.tables }),
    async emptyRedis() {
      const client = new Redis(redis.url);
      await client.flushdb();
      client.disconnect();
    },
    laneStates: async (name) =>
      (await status.lanes()).filter((lane) => lane.target === name).map(({ state }) => state),
    async replaceSource() {
      await relays[Symbol.asyncDispose]();
      await source.query("drop schema lockstep cascade");
      await install();
      relays = await startRelays(context);
    },
    stopConsumer,
    startConsumer: begin,
    spawnConsumer: () => NodeProcess.start({ main: consumerMain, args: ["--config", file] }),
    jobs,
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

/** A value as code, functions included. */
function codeOf(value: unknown): string {
  if (typeof value === "function") return `(${String(value)})`;
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(codeOf).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(JSON.stringify(value));
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${JSON.stringify(name)}: ${codeOf(one)}`)
    .join(", ")} }`;
}

/** Returns when a lane has begun in the target. */
export async function untilItHasACheckpoint({ engine, query }: Side): Promise<void> {
  const table = engine === "postgres" ? "lockstep.checkpoint" : "lockstep_checkpoint";
  await eventually(async () => (await query(`SELECT 1 AS one FROM ${table}`).catch(() => [])).length > 0, {
    what: "a lane with a checkpoint",
  });
}

/** Returns when a target holds what the source holds; throws with differences otherwise. The source must be quiet. */
export async function untilEqual(rig: Pick<SyncRig, "compare">, target: string): Promise<void> {
  await eventually(
    async () => {
      const { missing, extra, differing, examples } = await rig.compare(target);
      if (missing + extra + differing > 0) throw new Error(examples.slice(0, 5).join("; "));
      return true;
    },
    { what: "a target that holds what the source holds", timeoutMs: 60_000, intervalMs: 250 },
  );
}

/** Runs `lockstep …` in this process. */
export async function runHere(args: readonly string[]): Promise<Said> {
  const out: string[] = [];
  const error: string[] = [];
  const terminal = { out: (l: string) => void out.push(l), error: (l: string) => void error.push(l) };
  const code = await runCli(args, terminal);
  return { code, out, error: error.join("\n"), json: <T>() => JSON.parse(out.at(-1) ?? "null") as T };
}
