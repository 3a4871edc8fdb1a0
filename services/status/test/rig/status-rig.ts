import {
  type LaneReport,
  type LetterWrite,
  positionOf,
  type ReadsReport,
  type RelayReport,
  splitPosition,
  type TableSchema,
  type Target,
} from "@lockstep/core";
import { readsReports, redisStatusReader, redisStreamReader, redisStreamWriter } from "@lockstep/stream";
import { postgresTarget } from "@lockstep/target-postgres";
import { type FreshDatabase, freshPostgres, freshRedis } from "@lockstep/testing";
import { createStatusServer, type StatusServer, type StatusServerOptions } from "../../src/index.js";
import { schemaOf } from "../letters/schema-of.js";

/** The table that the rig's letters are about. */
export const customers = schemaOf("public.customers", ["id", "email", "note"], ["id"]);

/** A status service over real targets and a real Redis. */
export interface StatusRig {
  readonly server: StatusServer;
  readonly targets: ReadonlyMap<string, Target>;
  readonly redisUrl: string;
  /** A JSON answer and its status. */
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Sets rows aside as a lane does, in one transaction a letter; returns their ids as the API names them. */
  setAside(target: string, letters: readonly Partial<LetterWrite>[]): Promise<string[]>;
  reportLane(report?: Partial<LaneReport>): Promise<void>;
  reportRelay(report?: Partial<RelayReport>): Promise<void>;
  reportReads(report: ReadsReport): Promise<void>;
  publishSchemas(schemas: readonly TableSchema[]): Promise<void>;
  close(): Promise<void>;
}

/** An answer. */
interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // The tests say which shape they expect.
  readonly body: Body;
}

/** What a test looks into. */
interface Body {
  readonly [name: string]: unknown;
}

/** Options of {@link openRig}. */
export interface RigOptions extends Partial<Omit<StatusServerOptions, "sources" | "port">> {
  /** Names of the targets. Default `reporting`. */
  readonly targets?: readonly string[];
  /** The URL a target is reached by: a proxy's, say. */
  readonly via?: (target: string, url: string) => string;
  /** The URL Redis is reached by. */
  readonly redisVia?: (url: string) => string;
}

/** Opens the rig. */
export async function openRig(options: RigOptions = {}): Promise<StatusRig> {
  const {
    targets: names = ["reporting"],
    via = (_, url) => url,
    redisVia = (url) => url,
    ...server
  } = options;
  const [redis, ...made] = await Promise.all([freshRedis(), ...names.map(() => freshPostgres())]);
  const databases = new Map<string, FreshDatabase>(names.map((name, i) => [name, made[i]!]));
  const targets = new Map<string, Target>(
    names.map((name) => [
      name,
      postgresTarget({ name, url: via(name, databases.get(name)!.url), schema: "managed" }),
    ]),
  );
  const link = { redis: redisVia(redis.url), source: "shop" };
  const reader = redisStatusReader(link);
  const stream = redisStreamReader(link);
  const writer = redisStreamWriter(link);
  const reads = readsReports(link);
  const running = await createStatusServer({
    ...server,
    port: 0,
    sources: [
      {
        name: "shop",
        reader: {
          relay: () => reader.relay(),
          lanes: () => reader.lanes(),
          targets: () => reader.targets(),
          reads: () => reader.reads(),
          schema: (fingerprint) => stream.schema(fingerprint),
        },
        schedule: { nudge: (lane) => reader.nudge(lane) },
        targets: [...targets.values()],
      },
    ],
  });
  const request = (path: string, init: RequestInit) => ask(running.url + path, init);
  return {
    server: running,
    targets,
    redisUrl: redis.url,
    get: (path, headers = {}) => request(path, { headers }),
    post: (path, body, headers = {}) =>
      request(path, {
        method: "POST",
        headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    setAside: (name, letters) => setAside(targets.get(name)!, letters),
    reportLane: (report) => stream.report({ ...laneReport, ...report }),
    reportReads: (report) => reads.put(report),
    reportRelay: (report) => writer.report({ ...relayReport, ...report }),
    publishSchemas: (schemas) => writer.publishSchemas(schemas),
    async close() {
      await running[Symbol.asyncDispose]();
      await Promise.all([...targets.values()].map((target) => target.close()));
      await Promise.all([reader.close(), stream.close(), writer.close(), reads.close()]);
      await Promise.all([...databases.values(), redis].map((database) => database.drop()));
    },
  };
}

async function ask(url: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  const body = (isJson ? JSON.parse(text) : { text }) as Body;
  return { status: response.status, headers: response.headers, body };
}

async function setAside(target: Target, letters: readonly Partial<LetterWrite>[]): Promise<string[]> {
  await target.open();
  const session = await target.lane({ source: "shop", partition: 0 });
  if (session === undefined) throw new Error("the lane is taken");
  await using lane = session;
  let checkpoint = (await lane.checkpoint()) ?? (await lane.register({ position: "0-0", incarnation: "i" }));
  const ids: string[] = [];
  for (const letter of letters) {
    const to = positionOf(splitPosition(checkpoint.position).tick + 1n, 1);
    const move = { from: checkpoint, to, total: checkpoint.total + 1, incarnation: "i", records: 0 };
    checkpoint = await lane.step(move, async (transaction) => {
      const id = await transaction.putLetter({ ...letterWrite, position: to, ...letter });
      ids.push(`${target.name}~${id}`);
    });
  }
  return ids;
}

const letterWrite: LetterWrite = {
  table: "public.customers",
  key: '["1"]',
  op: "update",
  position: "1-1",
  ordinal: 1,
  schema: customers.fingerprint,
  image: '["1","ada@example.com","secret note"]',
  state: "dead",
  code: "TARGET_CHECK",
  about: "no_poison",
  rawError: "new row violates check constraint: (1, ada@example.com, secret note)",
  attempts: 5,
  maxAttempts: 5,
};

const relayReport: RelayReport = {
  source: "shop",
  relay: "app/1",
  incarnation: "i",
  partitions: 1,
  leader: true,
  at: Date.now(),
  published: "9-1",
  total: 900,
  backlogEvents: 12,
  backlogOldestMs: 340,
};

const laneReport: LaneReport = {
  source: "shop",
  target: "reporting",
  targetId: "id",
  partition: 0,
  owner: "consumer/1",
  at: Date.now(),
  state: "running",
  position: "8-1",
  total: 890,
  lagMs: 340,
  eventsBehind: 10,
  rowsPerSecond: 55.5,
  latencyMs: { p50: 4, p99: 11 },
  lastSyncAt: Date.now(),
  recordsSynced: 880,
  errorCount: 2,
  letters: { dead: 1 },
  lastErrors: [{ table: "public.customers", key: '["1"]', code: "TARGET_CHECK", at: Date.now() }],
  seeded: false,
};
