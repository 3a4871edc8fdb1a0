import { liveLetterStates } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { type Change, truncated } from "../stage/changes.js";
import { ShopModel, type ShopStep, shopSteps } from "../stage/random-shop.js";
import type { StageTools, StageUse } from "./lane-suite.js";

/** Random histories with refused rows. */
export function convergenceTests(stage: StageUse): void {
  it("shows the source's rows but those with a letter, and all of them once the target is mended", async function () {
    this.timeout(120_000);
    const tools = stage();
    const lane = tools.start({
      retry: { attempts: 2, delayMs: 20, jitter: 0 },
      limits: { maxRefusedShare: 2, maxLettersPerCode: 100_000, maxBatchEvents: 7 },
    });
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
        await tools.until(async () => {
          const states = liveLetterStates.filter((state) => state !== "waiting");
          const ids = await tools.target.letters.replay({ source: tools.source, states }, "test", 100);
          if (ids.length > 0) lane.nudge();
          return (await live(tools)).length === 0;
        }, "no live letter");
        expect(await contents(tools)).deep.equal(model.contents());
      }),
      { numRuns: Number(process.env["LANE_RUNS"] ?? 12), endOnFailure: true },
    );
    expect(lane.status().state).equal("running");
  });
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
