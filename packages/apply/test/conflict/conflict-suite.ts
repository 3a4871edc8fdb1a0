import { conflictsOf, type Engine, type TargetConflicts } from "@lockstep/core";
import { type RunningServer, startRedis } from "@lockstep/testing";
import type { Lane, LaneOptions } from "../../src/index.js";
import { type StageTools, toolsOf } from "../lane/lane-suite.js";
import { type LaneStage, openStage } from "../stage/lane-stage.js";
import { accidentTests } from "./accidents.js";
import { decidingTests } from "./deciding.js";
import { noticingTests } from "./noticing.js";

/** What the tests of conflicts ask of their stage. */
interface ConflictTools extends StageTools {
  /** Starts a lane whose target has these policies. */
  guarded(conflicts: TargetConflicts, options?: Partial<LaneOptions>): Lane;
  /** What was recorded, oldest first: table, key, policy, outcome. */
  recorded(): Promise<string[]>;
  /** Conflicts that a lane counts, by outcome. */
  metric(lane: Lane): Readonly<Record<string, number>>;
}

/** The stage of the running test. */
export type ConflictUse = () => ConflictTools;

/** All tests of conflicts against one engine. */
export function conflictSuite(engine: Engine): void {
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
  const use: ConflictUse = () => {
    const tools = toolsOf(stage, redis);
    return {
      ...tools,
      guarded: (conflicts, options = {}) =>
        tools.start({
          retry: { delayMs: 50, jitter: 0, attempts: 3 },
          conflicts: conflictsOf(conflicts),
          ...options,
        }),
      metric: (lane) =>
        Object.fromEntries((lane.status().conflicts ?? []).map(({ outcome, count }) => [outcome, count])),
      recorded: () =>
        tools.rows(`SELECT table_name, row_key, policy, outcome FROM ${tools.own("conflict")} ORDER BY id`),
    };
  };
  describe("noticing", () => noticingTests(use));
  describe("deciding", () => decidingTests(use));
  describe("accidents", () => accidentTests(use));
}
