import { liveLetterStates } from "@lockstep/core";
import { startProxy } from "@lockstep/testing";
import { expect } from "chai";
import fc from "fast-check";
import type { Lane } from "../../src/index.js";
import { type Change, truncated } from "../stage/changes.js";
import { openTarget } from "../stage/open-target.js";
import { ShopModel, type ShopStep, shopSteps } from "../stage/random-shop.js";
import type { StageTools, StageUse } from "./lane-suite.js";

const runs = Number(process.env["LANE_RUNS"] ?? 12);
const options = {
  retry: { attempts: 2, delayMs: 20, jitter: 0 },
  limits: { maxRefusedShare: 2, maxLettersPerCode: 100_000, maxBatchEvents: 7 },
};

/** Random histories with refused rows. */
export function convergenceTests(stage: StageUse): void {
  it("shows the source's rows but those with a letter, and all of them once the target is mended", async () => {
    const lane = stage().start(options);
    await converges(stage(), lane, runs);
    expect(lane.status().state).equal("running");
  });

  it("does so while its connections break", async () => {
    const { engine, targetUrl, start } = stage();
    await using proxy = await startProxy({ port: Number(new URL(targetUrl).port) });
    const target = openTarget(engine, { name: "mirror", url: proxy.url(targetUrl) });
    const lane = start({ ...options, target });
    // Only after a step that worked: a lane that never gets anywhere waits longer and longer, as it should.
    let broken = "";
    const breaking = setInterval(() => {
      const { position, state } = lane.status();
      if (position === broken || state !== "running") return;
      broken = position;
      proxy.reset();
    }, 150);
    try {
      await converges(stage(), lane, Math.ceil(runs / 4));
    } finally {
      clearInterval(breaking);
    }
    await lane[Symbol.asyncDispose]();
    await target.close();
  });
}

async function converges(tools: StageTools, lane: Lane, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(shopSteps, async (steps) => {
      await refuseBad(tools);
      const model = new ShopModel(tools.shop);
      tools.relay.commit([truncated(tools.shop.orders), truncated(tools.shop.customers)]);
      play(tools, model, steps);
      await tools.reached(tools.relay.last);
      // A retry may end between the two looks.
      await tools.until(
        async () => (await unexplained(tools, model)).length === 0,
        "an explanation of every difference",
      );
      await tools.run("ALTER TABLE customers DROP CONSTRAINT no_bad_name");
      await tools.until(() => replayAll(tools, lane), "no live letter");
      expect(await contents(tools)).deep.equal(model.contents());
    }),
    { numRuns, endOnFailure: true },
  );
}

/** Replays whatever doesn't wait; true when nothing is left. */
async function replayAll(tools: StageTools, lane: Lane): Promise<boolean> {
  const states = liveLetterStates.filter((state) => state !== "waiting");
  const ids = await tools.target.letters.replay({ source: tools.source, states }, "test", 100);
  if (ids.length > 0) lane.nudge();
  return (await live(tools)).length === 0;
}

async function refuseBad({ run }: StageTools): Promise<void> {
  await run("ALTER TABLE customers DROP CONSTRAINT IF EXISTS no_bad_name");
  await run("UPDATE customers SET name = 'fine' WHERE name = 'bad'");
  await run("ALTER TABLE customers ADD CONSTRAINT no_bad_name CHECK (name <> 'bad')");
}

function play({ relay }: StageTools, model: ShopModel, steps: readonly ShopStep[]): void {
  let open: Change[] = [];
  for (const step of [...steps, { do: "commit" as const }]) {
    if (step.do !== "commit") open.push(...model.play(step));
    else if (open.length > 0) {
      relay.commit(open);
      open = [];
    }
  }
}

async function live(tools: StageTools) {
  const { letters } = await tools.target.letters.list(
    { source: tools.source, states: liveLetterStates },
    { limit: 500 },
  );
  return letters;
}

async function contents(tools: StageTools): Promise<ReturnType<ShopModel["contents"]>> {
  const print = (rows: readonly Record<string, unknown>[]): string[] =>
    rows.map((row) => JSON.stringify(Object.values(row).map((v) => (v === null ? null : String(v))))).sort();
  return {
    customers: print(await tools.run("SELECT id, email, name FROM customers")),
    orders: print(await tools.run("SELECT id, customer, note FROM orders")),
  };
}

/** Rows that differ between source and target without a live letter. */
async function unexplained(tools: StageTools, model: ShopModel): Promise<readonly string[]> {
  const [found, letters] = [await contents(tools), await live(tools)];
  const wanted = model.contents();
  const differing: string[] = [];
  for (const table of ["customers", "orders"] as const) {
    const explained = new Set(
      letters.filter((l) => l.table === `shop.${table}`).map((l) => (JSON.parse(l.key) as string[])[0]),
    );
    const isOpen = (row: string): boolean => !explained.has((JSON.parse(row) as string[])[0]);
    const [here, there] = [new Set(found[table]), new Set(wanted[table])];
    differing.push(...found[table].filter((row) => !there.has(row) && isOpen(row)));
    differing.push(...wanted[table].filter((row) => !here.has(row) && isOpen(row)));
  }
  return differing;
}
