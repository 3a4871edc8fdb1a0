import type { Engine } from "@lockstep/core";
import { bullLetterSchedule, redisStreamReader } from "@lockstep/stream";
import { type LaneLimits, startLane } from "../../src/index.js";
import { openTarget } from "./open-target.js";

/** What the parent tells the process, as JSON in `LANE`. */
export interface LaneProcessOrder {
  readonly engine: Engine;
  readonly targetUrl: string;
  readonly redisUrl: string;
  readonly source: string;
  readonly limits?: Partial<LaneLimits>;
}

const {
  engine,
  targetUrl,
  redisUrl,
  source,
  limits = {},
} = JSON.parse(process.env["LANE"] ?? "{}") as LaneProcessOrder;
const link = { redis: redisUrl, source };
const say = (fields: object, message: string): void => {
  process.stdout.write(`${message} ${JSON.stringify(fields)}\n`);
};
const lane = startLane({
  source,
  partition: 0,
  target: openTarget(engine, { name: "mirror", url: targetUrl }),
  reader: redisStreamReader(link),
  schedule: bullLetterSchedule(link),
  limits,
  logger: { debug: say, info: say, warn: say, error: say },
});
say({}, "started");
process.on("SIGTERM", () => {
  void lane[Symbol.asyncDispose]().then(() => process.exit(0));
});
