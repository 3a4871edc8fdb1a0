import type { DeadLetter, Engine } from "@lockstep/core";
import { eventually, startRedis, type RunningServer } from "@lockstep/testing";
import { Redis } from "ioredis";
import { type LaneStage, openStage } from "../stage/lane-stage.js";
import { applyingTests } from "./applying.js";
import { convergenceTests } from "./convergence.js";
import { deferredConstraintTests } from "./deferred-constraints.js";
import { faultTests } from "./faults.js";
import { largeTransactionTests } from "./large-transactions.js";
import { letterTests } from "./letters.js";
import { lifeTests } from "./life.js";

/** What tests ask of their stage. */
export interface StageTools extends LaneStage {
  /** Waits for a condition. */
  until<T>(
    probe: () => T | Promise<T>,
    what: string,
    timeoutMs?: number,
  ): Promise<Exclude<T, false | undefined>>;
  /** All letters, in the order of their events. */
  letters(): Promise<readonly DeadLetter[]>;
  redis<T>(work: (client: Redis) => Promise<T>): Promise<T>;
  readonly redisServer: RunningServer;
}

/** The stage of the running test. */
export type StageUse = () => StageTools;

/** All lane tests against one engine. */
export function laneSuite(engine: Engine): void {
  let redis: RunningServer;
  let stage: LaneStage;
  before(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    stage = await openStage(engine, redis);
  });
  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
  });
  after(async () => {
    await redis[Symbol.asyncDispose]();
  });
  const use: StageUse = () => toolsOf(stage, redis);
  describe("applying", () => applyingTests(use));
  describe("life", () => lifeTests(use));
  describe("letters", () => letterTests(use));
  describe("large transactions", () => largeTransactionTests(use));
  describe("convergence", () => convergenceTests(use));
  describe("faults", () => faultTests(use));
  // MySQL and MariaDB know none.
  if (engine === "postgres") describe("deferred constraints", () => deferredConstraintTests(use));
}

/** The tools of a stage. */
export function toolsOf(stage: LaneStage, redisServer: RunningServer): StageTools {
  return {
    ...stage,
    redisServer,
    until: async (probe, what, timeoutMs = 30_000) =>
      (await eventually(async () => (await probe()) || undefined, { what, timeoutMs })) as never,
    letters: async () => {
      const { letters } = await stage.target.letters.list({ source: stage.source }, { limit: 500 });
      return letters.toSorted((a, b) => compare(a.position, b.position) || a.ordinal - b.ordinal);
    },
    async redis(work) {
      const client = new Redis(redisServer.url);
      try {
        return await work(client);
      } finally {
        client.disconnect();
      }
    },
  };
}

function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}
