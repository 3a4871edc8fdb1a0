import { parseConfig } from "@lockstep/config";
import { type ErrorCode, isLockstepError, silentLogger } from "@lockstep/core";
import { expect } from "chai";
import type { WorkerRoom } from "../../src/worker/job-runner.js";
import { runDue } from "../../src/worker/run-schedules.js";

const minute = 60_000;

describe("a schedule that could not begin in time", () => {
  it("is missed for what kept it from beginning, not for want of a consumer", async () => {
    const config = parseConfig({
      redis: "redis://127.0.0.1:1",
      sources: { shop: { url: "postgres://127.0.0.1:1/nothing" } },
      targets: { mirror: { type: "postgres", url: "postgres://127.0.0.1:1/nothing" } },
      schedules: { checks: { kind: "verify", cron: "* * * * *" } },
    });
    const missed: ErrorCode[] = [];
    let now = 10 * minute;
    const room = {
      config,
      source: "shop",
      schedules: config.schedules,
      logger: silentLogger,
      refusals: new Map(),
      now: () => now,
      store: {
        list: async () => [],
        miss: async ({ code }: { code: ErrorCode }) => void missed.push(code),
        schedules: { keep: async () => ({ coveredAt: 0 }), cover: async () => true },
      } as unknown as WorkerRoom["store"],
    } satisfies WorkerRoom;
    const tried: unknown = await runDue(room, "checks", now).catch((error: unknown) => error);
    expect(isLockstepError(tried, "SOURCE_UNAVAILABLE")).equal(true);
    const due = now;
    now += 6 * minute;
    expect(await runDue(room, "checks", due)).equal(undefined);
    expect(await runDue(room, "checks", due + minute / 2)).equal(undefined);
    expect(missed).deep.equal(["SOURCE_UNAVAILABLE", "JOB_MISSED"]);
  });
});
