import {
  liveLetterStates,
  mappingOf,
  type RowMapping,
  type TableMapping,
  type TargetMapping,
} from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { type Change, truncated } from "../stage/changes.js";
import { ShopModel, type ShopStep, shopSteps } from "../stage/random-shop.js";
import { type MappingTools, type MappingUse, secret } from "./mapping-tools.js";

const runs = Number(process.env["LOCKSTEP_PROPERTY_RUNS"] ?? 8);
const limits = { maxRefusedShare: 2, maxLettersPerCode: 100_000, maxBatchEvents: 7 };

interface Choice {
  readonly hashKey: boolean;
  readonly filter: "none" | "good" | "soft";
  readonly compute: boolean;
  readonly discriminator: boolean;
  readonly copies: 1 | 2;
}

const choice = fc.record<Choice>({
  hashKey: fc.boolean(),
  filter: fc.constantFrom("none", "good", "soft"),
  compute: fc.boolean(),
  discriminator: fc.boolean(),
  copies: fc.constantFrom(1, 2),
});
const choices = fc.record({ customers: choice, orders: choice });

/** Random mappings over random histories. */
export function mappedConvergenceTests(stage: MappingUse): void {
  it("shows the source's rows as mapped but those with a letter, and all of them once the code is corrected", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(shopSteps, choices, async (steps, chosen) => {
        await converges(stage(), steps, chosen, `r${++run}`);
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });
}

async function converges(
  tools: MappingTools,
  steps: readonly ShopStep[],
  chosen: { readonly customers: Choice; readonly orders: Choice },
  run: string,
): Promise<void> {
  const { relay, shop, map, reached, until, target, source } = tools;
  const mapOf = (correct: boolean): TargetMapping => ({
    customers: specsOf(chosen.customers, `${run}_customers`, "name", correct),
    orders: specsOf(chosen.orders, `${run}_orders`, "note", correct),
    "*": false,
  });
  const options = { limits, retry: { attempts: 1, delayMs: 20, jitter: 0 } };
  const lane = map(mapOf(false), options);
  const model = new ShopModel(shop);
  relay.commit([truncated(shop.orders), truncated(shop.customers)]);
  let open: Change[] = [];
  for (const step of [...steps, { do: "commit" as const }]) {
    if (step.do !== "commit") open.push(...model.play(step));
    else if (open.length > 0) relay.commit(open.splice(0));
  }
  await reached(relay.last);
  const routes = Object.fromEntries(
    (["customers", "orders"] as const).map((name) => [
      name,
      mappingOf(mapOf(true), { secret }).routes(shop[name])!,
    ]),
  );
  const bad = new Set([...model.customers.values()].flatMap(([id, , name]) => (isBad(name) ? [id] : [])));
  const badOrders = new Set([...model.orders.values()].flatMap(([id, , note]) => (isBad(note) ? [id] : [])));
  await expectRows(tools, routes["customers"]!, model.customers.values(), bad);
  await expectRows(tools, routes["orders"]!, model.orders.values(), badOrders);
  await lane[Symbol.asyncDispose]();
  const mended = map(mapOf(true), options);
  await until(async () => {
    const ids = await target.letters.replay({ source, states: liveLetterStates }, "test", 500);
    if (ids.length > 0) mended.nudge();
    const { letters } = await target.letters.list({ source, states: liveLetterStates }, { limit: 1 });
    return letters.length === 0;
  }, "no live letter");
  await expectRows(tools, routes["customers"]!, model.customers.values(), new Set());
  await expectRows(tools, routes["orders"]!, model.orders.values(), new Set());
  await mended[Symbol.asyncDispose]();
}

function isBad(text: string | null): boolean {
  return text === "bad";
}

/** A mapping; where it computes, it fails on `bad` until it is corrected. */
function specsOf(choice: Choice, table: string, text: string, correct: boolean): readonly TableMapping[] {
  const key = choice.discriminator || choice.copies === 2 ? ["kind", "k"] : ["k"];
  return Array.from({ length: choice.copies }, (_, copy): TableMapping => {
    const computed = {
      type: "text(300)",
      value: (row: Readonly<Record<string, unknown>>) => {
        if (row[text] === "bad" && !correct) throw new Error("bad");
        return `${String(row["id"])}:${String(row[text])}`;
      },
    } as const;
    return {
      to: table,
      columns: {
        kind: { fixed: copy },
        k: choice.hashKey ? { hash: "id" } : "id",
        ...(choice.compute ? { made: computed } : { made: text }),
      },
      key,
      ...filterOf(choice, text),
    };
  });
}

function filterOf({ filter }: Choice, text: string): Pick<TableMapping, "where" | "softDeleted"> {
  if (filter === "none") return {};
  if (filter === "good") return { where: (row) => (row["id"] as bigint) % 2n === 0n };
  return { softDeleted: text === "name" ? "email" : "customer" };
}

async function expectRows(
  { run, until }: MappingTools,
  routes: readonly RowMapping[],
  rows: Iterable<readonly (string | null)[]>,
  badIds: ReadonlySet<string>,
): Promise<void> {
  const computes = routes[0]!.columns.some(({ from }) => from === "computed");
  const all = [...rows];
  // A row that could not be mapped is as it was before, or not there at all: it is left out on both sides.
  const isOpen = (id: string): boolean => computes && badIds.has(id);
  const wanted = routes.flatMap((route) =>
    all.flatMap((row) => (isOpen(row[0]!) ? [] : [route.mapRow(row)].filter((one) => one !== undefined))),
  );
  const openKeys = new Set(
    routes.flatMap((route) => all.filter((row) => isOpen(row[0]!)).map((row) => keyText(route, row))),
  );
  const { name } = routes[0]!.schema;
  const columns = routes[0]!.schema.columns.map((column) => column.name);
  const read = async (): Promise<string[]> => {
    const found = await run(`SELECT ${columns.join(", ")} FROM ${name}`);
    return found
      .map((row) => columns.map((column) => (row[column] === null ? null : String(row[column]))))
      .filter((row) => !openKeys.has(`${row[0]}|${row[1]}`))
      .map((row) => JSON.stringify(row))
      .sort();
  };
  const expected = wanted.map((row) => JSON.stringify(row)).sort();
  await until(async () => JSON.stringify(await read()) === JSON.stringify(expected), "the mapped rows").catch(
    () => undefined,
  );
  expect(await read()).deep.equal(expected);
}

function keyText(route: RowMapping, row: readonly (string | null)[]): string {
  const [kind] = route.columns.flatMap((column) => (column.from === "fixed" ? [column.text] : []));
  const key = JSON.parse(route.mapKey(JSON.stringify([row[0]]))) as string[];
  return `${kind}|${key.at(-1)}`;
}
