import { setTimeout as sleep } from "node:timers/promises";
import { liveLetterStates, sinkTarget, type Target } from "@lockstep/core";
import { type RunningServer, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import fc from "fast-check";
import { type StageTools, toolsOf } from "../lane/lane-suite.js";
import { type Change, put, truncated } from "../stage/changes.js";
import { type LaneStage, openStage } from "../stage/lane-stage.js";
import { openTarget } from "../stage/open-target.js";
import { ShopModel, shopSteps } from "../stage/random-shop.js";
import { FlakySink } from "./flaky-sink.js";

const runs = Number(process.env["LOCKSTEP_PROPERTY_RUNS"] ?? 4);

describe("a lane to a store without transactions", () => {
  let redis: RunningServer;
  let stage: LaneStage;
  let sink: FlakySink;
  let target: Target;
  let tools: StageTools;
  before(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    stage = await openStage("postgres", redis);
    sink = new FlakySink();
    target = sinkTarget({
      name: "mirror",
      sink,
      state: openTarget("postgres", { name: "mirror", url: stage.targetUrl }),
    });
    tools = toolsOf(stage, redis);
  });
  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
    await target.close();
  });
  after(async () => {
    await redis[Symbol.asyncDispose]();
  });

  it("waits while the store is away, burns no attempt, and goes on", async () => {
    const { relay, shop, until, letters, reached } = tools;
    let away = true;
    sink.weather = () => (away ? "away" : "fine");
    const lane = tools.start({ target });
    relay.commit([put(shop.customers, "1", "a@x", "Ann")]);
    await until(() => lane.status().state === "paused", "the pause");
    expect(lane.status().reason?.code).equal("TARGET_UNAVAILABLE");
    away = false;
    await reached(relay.last);
    expect(sink.print("customers")).deep.equal(['["1","a@x","Ann"]']);
    expect(await letters()).deep.equal([]);
  });

  it("makes letters of what the store refuses, sends the others once, and writes the letter when it is replayed", async () => {
    const { relay, shop, letters, reached, until } = tools;
    let strict = true;
    sink.refuses = ({ image }) => strict && image?.[2] === "bad";
    const lane = tools.start({ target, retry: { attempts: 2, delayMs: 20, jitter: 0 } });
    relay.commit(
      Array.from({ length: 64 }, (_, n) => put(shop.customers, `${n}`, null, n === 40 ? "bad" : "good")),
    );
    await reached(relay.last);
    expect(sink.print("customers")).length(63);
    // 64 at first; a second look at the one that was refused.
    expect(sink.writes).within(64, 66);
    await until(async () => (await letters())[0]?.state === "dead", "the dead letter");
    expect((await letters())[0]).deep.include({ key: '["40"]', code: "TARGET_REFUSED", about: "bad" });
    strict = false;
    await target.letters.replay({ states: liveLetterStates }, "test", 10);
    lane.nudge();
    await until(async () => (await letters())[0]?.state === "applied", "the letter applied");
    expect(sink.print("customers")).length(64);
  });

  it("converges whatever calls fail before or after they arrive, and however often its owner changes", async () => {
    const { relay, shop, reached, until } = tools;
    const storm = fc.infiniteStream(fc.constantFrom("fine", "fine", "away", "reply lost"));
    await fc.assert(
      fc.asyncProperty(shopSteps, storm, async (steps, weather) => {
        let calls = 0;
        sink.weather = () => (++calls > 8 ? "fine" : (weather.next().value as "fine"));
        sink.refuses = ({ image }) => image?.[2] === "bad";
        const quick = { retry: { attempts: 1, delayMs: 20, jitter: 0 }, sleep: hasty };
        const limits = { maxBatchEvents: 9, maxRefusedShare: 2, maxLettersPerCode: 100_000 };
        let lane = tools.start({ target, limits, ...quick });
        const model = new ShopModel(shop);
        relay.commit([truncated(shop.orders), truncated(shop.customers)]);
        let open: Change[] = [];
        for (const [i, step] of [...steps, { do: "commit" as const }].entries()) {
          if (step.do !== "commit") open.push(...model.play(step));
          else if (open.length > 0) relay.commit(open.splice(0));
          if (i === 40) {
            await lane[Symbol.asyncDispose]();
            lane = tools.start({ target, limits: { ...limits, maxBatchEvents: 5 }, ...quick });
          }
        }
        await reached(relay.last);
        sink.refuses = () => false;
        await until(async () => {
          const ids = await target.letters.replay(
            { source: stage.source, states: liveLetterStates },
            "test",
            500,
          );
          if (ids.length > 0) lane.nudge();
          return ids.length === 0;
        }, "no live letter");
        expect({ customers: sink.print("customers"), orders: sink.print("orders") }).deep.equal(
          model.contents(),
        );
        await lane[Symbol.asyncDispose]();
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });
});

/** Backoff without the wait. */
async function hasty(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, 30), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
