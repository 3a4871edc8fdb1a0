import { type Engine, mappingOf } from "@lockstep/core";
import { type RunningServer, startRedis } from "@lockstep/testing";
import { toolsOf } from "../lane/lane-suite.js";
import { type LaneStage, openStage } from "../stage/lane-stage.js";
import { openTarget } from "../stage/open-target.js";
import { mappedLetterTests } from "./letters.js";
import { mappedConvergenceTests } from "./convergence.js";
import { type MappingTools, type MappingUse, quick, secret } from "./mapping-tools.js";
import { mappedRowTests } from "./rows.js";

/** All mapping tests from one engine to another. */
export function mappingSuite(source: Engine, target: Engine): void {
  let redis: RunningServer;
  let stage: LaneStage;
  let opened: { close(): Promise<void> }[] = [];
  before(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    stage = await openStage(target, redis, undefined, source);
  });
  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
    for (const one of opened) await one.close();
    opened = [];
  });
  after(async () => {
    await redis[Symbol.asyncDispose]();
  });
  const use: MappingUse = () => {
    const tools = toolsOf(stage, redis);
    const map: MappingTools["map"] = (map, { external, ...options } = {}) => {
      const schema = external ? "external" : "managed";
      const mirror = openTarget(target, {
        name: "mirror",
        url: stage.targetUrl,
        schema,
        allowInsensitiveKeys: true,
      });
      opened.push(mirror);
      return tools.start({ retry: quick, target: mirror, mapping: mappingOf(map, { secret }), ...options });
    };
    return { ...tools, map };
  };
  describe("rows", () => mappedRowTests(use));
  describe("letters", () => mappedLetterTests(use));
  describe("convergence", () => mappedConvergenceTests(use));
}
