import { randomUUID } from "node:crypto";
import { type Engine, type Position, type StreamReader, type Target, comparePositions } from "@lockstep/core";
import {
  bullLetterSchedule,
  redisStreamReader,
  redisStreamWriter,
  startLetterWorker,
} from "@lockstep/stream";
import { eventually, freshMariaDb, freshPostgres, openSide, type RunningServer } from "@lockstep/testing";
import { type Lane, type LaneOptions, startLane } from "../../src/index.js";
import { openTarget } from "./open-target.js";
import { type Shop, shopOf, shopTables } from "./shop.js";
import { TestRelay } from "./test-relay.js";

/** Everything between a log and a target, on real servers; one per test. */
export interface LaneStage extends AsyncDisposable {
  readonly engine: Engine;
  readonly shop: Shop;
  readonly source: string;
  readonly relay: TestRelay;
  readonly redisUrl: string;
  readonly targetUrl: string;
  /** A target that is closed with the stage. */
  readonly target: Target;
  /** Starts a lane, by default on `target`; it is disposed with the stage. */
  start(options?: Partial<LaneOptions>): Lane;
  /** Runs a statement in the target's database. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Name of one of Lockstep's own tables in the target. */
  own(table: "staging" | "checkpoint" | "conflict" | "row_base"): string;
  /** Rows of a query, each as its cells joined by `|`. */
  rows(sql: string): Promise<string[]>;
  /** Waits until the target's checkpoint has reached a position. */
  reached(position: Position, timeoutMs?: number): Promise<void>;
}

/** Opens a stage with the shop's tables in a new database. */
export async function openStage(
  engine: Engine,
  redis: RunningServer,
  url?: string,
  sourceEngine = engine,
): Promise<LaneStage> {
  const database =
    url === undefined ? await (engine === "postgres" ? freshPostgres() : freshMariaDb()) : undefined;
  const targetUrl = url ?? database!.url;
  const side = await openSide(targetUrl);
  for (const statement of shopTables) await side.query(statement);
  const source = `s-${randomUUID()}`;
  const link = { redis: redis.url, source, commandTimeoutMs: 2_000 };
  const shop = shopOf(sourceEngine);
  const relay = new TestRelay(redisStreamWriter(link), source, Object.values(shop));
  const target = openTarget(engine, { name: "mirror", url: targetUrl });
  const schedule = bullLetterSchedule(link);
  const worker = await startLetterWorker({
    ...link,
    markDue: ({ letter, attempt }) => target.letters.markDue(letter, attempt),
  });
  const lanes: Lane[] = [];
  const readers: StreamReader[] = [];
  return {
    engine,
    shop,
    source,
    relay,
    redisUrl: redis.url,
    targetUrl,
    target,
    start(options = {}) {
      const reader = redisStreamReader(link);
      readers.push(reader);
      const lane = startLane({ source, partition: 0, target, reader, schedule, ...options });
      lanes.push(lane);
      return lane;
    },
    run: (sql) => side.query(sql),
    own: (table) => (engine === "postgres" ? `lockstep.${table}` : `lockstep_${table}`),
    rows: async (sql) => (await side.query(sql)).map((row) => Object.values(row).join("|")),
    async reached(position, timeoutMs = 60_000) {
      const there = async (): Promise<boolean> => {
        const [lane] = (await target.checkpoints()).filter((one) => one.source === source);
        return lane !== undefined && comparePositions(lane.position, position) >= 0;
      };
      await eventually(there, { what: `the checkpoint at ${position}`, timeoutMs });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()));
      await Promise.all([
        worker[Symbol.asyncDispose](),
        schedule.close(),
        relay[Symbol.asyncDispose](),
        ...readers.map((reader) => reader.close()),
      ]);
      await target.close();
      await side[Symbol.asyncDispose]();
      await database?.drop();
    },
  };
}
