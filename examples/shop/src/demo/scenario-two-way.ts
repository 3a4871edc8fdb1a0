import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { compareSides, eventually, openSide } from "@lockstep/testing";
import type { DemoOptions } from "./scenario-shop.js";
import { type ShopNode, startTwoNodes, type TwoNodes } from "./two-nodes.js";
import { live, type Reports, Watch } from "./watch.js";

/** What the scenario found: the object that `--json` prints. */
export interface TwoWayResult {
  readonly writes: number;
  /** Rows that both sides had changed: the later write won. */
  readonly conflicts: number;
  readonly differingRows: number;
  readonly converged: boolean;
}

/** Two shops write the same tables, the network between them is cut for a while, and every row is compared in the end. */
export async function twoWayScenario(options: DemoOptions): Promise<TwoWayResult> {
  const { say } = options;
  say("starting a PostgreSQL and a MariaDB, each with a shop of its own, Redis and a consumer");
  await using star = await startTwoNodes(options.verbose);
  const watches = star.nodes.map(({ name }) => new Watch(star.redis, name));
  try {
    await Promise.all(watches.map((watch) => watch.untilLanesRun(1, 60_000)));
    say("both shops write");
    const accident = cutInTheMiddle(star, options);
    const writes = await Promise.all(star.nodes.map((node) => writeFor(node, options)));
    await accident;
    say("both shops are closed; waiting until nothing is under way");
    const letters = await untilQuiet(watches);
    const differingRows = await compareNodes(star.nodes, say);
    return {
      writes: writes.reduce((sum, one) => sum + one, 0),
      conflicts: await countConflicts(star.nodes[0]!),
      differingRows,
      converged: differingRows === 0 && letters === 0,
    };
  } finally {
    await Promise.all(watches.map((watch) => watch.close()));
  }
}

async function cutInTheMiddle(star: TwoNodes, { seconds, say, signal }: DemoOptions): Promise<void> {
  const wait = (share: number) => sleep(seconds * share * 1000, undefined, { signal }).catch(() => undefined);
  await wait(0.35);
  say("the network is cut; both shops go on");
  await star.cut();
  await wait(0.3);
  await star.heal();
  say("the network is back");
}

/** So few rows that both shops write the same ones. */
const sharedRows = 40;

/** Writes at half of the rate, the other half is the other shop's; gives how many writes there were. */
async function writeFor(node: ShopNode, { seconds, rate, signal }: DemoOptions): Promise<number> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const own: string[] = [];
  let writes = 0;
  while (elapsed() < seconds && !signal.aborted) {
    await again(() => writeOnce(node, own));
    const due = ++writes / (rate / 2) - elapsed();
    if (due > 0) await sleep(due * 1000);
  }
  return writes;
}

async function writeOnce({ name, dataSource, customers, stock }: ShopNode, own: string[]): Promise<void> {
  const id = Math.ceil(Math.random() * sharedRows);
  const chance = Math.random();
  const goods = dataSource.getRepository(stock);
  if (chance < 0.1) await goods.delete({ id });
  else if (chance < 0.6) await goods.save({ id, label: `${name} ${Date.now()}`, amount: id });
  else if (chance < 0.75) await goods.update({ id }, { amount: () => "amount + 1" });
  else if (chance < 0.9 || own.length === 0) {
    const made = randomUUID();
    const preferences = { shop: name, tags: ["é", '"'] };
    await dataSource
      .getRepository(customers)
      .insert({ id: made, email: `${made}@example.org`, name, preferences });
    own.push(made);
  } else {
    const known = own[Math.floor(Math.random() * own.length)]!;
    await dataSource.getRepository(customers).update({ id: known }, { name: `${name} again` });
  }
}

/** A shop that meets a lane, or another customer, at the same row tries once more. */
async function again(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Returns when everything is applied everywhere, and what that made as well; how many letters are left. */
async function untilQuiet(watches: readonly Watch[]): Promise<number> {
  let before = "";
  const probe = async () => {
    const reports = await Promise.all(watches.map((watch) => watch.untilCaughtUp(1, 120_000)));
    const totals = JSON.stringify(reports.map(({ relay }) => relay?.total));
    const isQuiet = totals === before;
    before = totals;
    return isQuiet ? reports : undefined;
  };
  const reports: readonly Reports[] = await eventually(probe, {
    what: "nodes that have come to rest",
    timeoutMs: 120_000,
    intervalMs: 100,
  });
  return reports.flatMap(({ lanes }) => lanes).reduce((sum, lane) => sum + live(lane), 0);
}

async function compareNodes(nodes: readonly ShopNode[], say: (line: string) => void): Promise<number> {
  await using main = await openSide(nodes[0]!.url);
  await using branch = await openSide(nodes[1]!.url);
  const { missing, extra, differing, rows, examples } = await compareSides(main, branch);
  say(`compared ${rows} rows`);
  examples.forEach(say);
  return missing + extra + differing;
}

async function countConflicts({ dataSource }: ShopNode): Promise<number> {
  const [row] = await dataSource.query<{ n: string }[]>("select count(*) as n from lockstep.conflict");
  return Number(row!.n);
}
