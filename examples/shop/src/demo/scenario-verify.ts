import type { VerifyReport } from "@lockstep/sync";
import { runLoad } from "../load.js";
import type { Shop } from "../shop.js";
import { plant, type QuietRows } from "./accidents.js";
import { runLockstep } from "./lockstep-command.js";
import { openShop } from "./open-shop.js";
import { startProcesses } from "./processes.js";
import type { DemoOptions } from "./scenario-shop.js";
import { type DemoServers, startServers } from "./servers.js";

/** What the scenario found: the object that `--json` prints. */
export interface VerifyResult {
  readonly planted: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly remainingAfterRepair: number;
  readonly converged: boolean;
}

interface Said {
  readonly reports: readonly VerifyReport[];
  readonly different: number;
}

const quietEach = 200;
const plantedEach = 20;

/** While a shop writes, rows of its targets are changed, deleted and added by hand; verify finds them, repair sets them right. */
export async function verifyScenario(options: DemoOptions): Promise<VerifyResult> {
  await using servers = await startServers(options.say);
  await using _processes = await startProcesses(servers, options.verbose);
  await using open = await openShop(servers);
  await open.publish();
  const { shop, dataSource, entities, watch } = open;
  await shop.open(quietEach, quietEach);
  const quiet = {
    customers: (await dataSource.getRepository(entities.customer).find({ select: { id: true } })).map(
      (c) => c.id,
    ),
    products: (await dataSource.getRepository(entities.product).find({ select: { id: true } })).map(
      (p) => p.id,
    ),
  };
  await shop.open(200, 500);
  await watch.untilCaughtUp(2, 60_000);
  return await underLoad(servers, shop, quiet, options);
}

async function underLoad(
  servers: DemoServers,
  shop: Shop,
  quiet: QuietRows,
  { seconds, rate, signal, say }: DemoOptions,
): Promise<VerifyResult> {
  const load = runLoad(shop, { seconds, rate, signal });
  const config = configOf(servers);
  const planted = new Set<string>();
  for (const [name, url] of Object.entries(servers.targets)) {
    for (const row of await plant(url, quiet, plantedEach, name))
      planted.add(`${name} ${row.table} ${row.key} ${row.kind}`);
  }
  say(`changed, deleted and added ${planted.size} rows of the targets by hand; the shop goes on writing`);
  const before = await runLockstep<Said>(config, "verify", "--limit", "1000");
  before.lines
    .slice(0, -1)
    .filter((line) => !line.startsWith("    "))
    .forEach(say);
  const found = namesOf(before.json);
  const repaired = await runLockstep<Said>(config, "repair", "--limit", "1000");
  repaired.lines
    .slice(0, -1)
    .filter((line) => !line.startsWith("    "))
    .forEach(say);
  let [remaining, looks] = [await remainingOf(config), 1];
  // For as long as the shop writes: every alarm from here on is a false one.
  for (
    const until = performance.now() + seconds * 1000;
    performance.now() < until && !(await isOver(load));
    looks++
  ) {
    remaining = Math.max(remaining, await remainingOf(config));
  }
  const { transactions } = await load;
  remaining = Math.max(remaining, await remainingOf(config));
  say(
    `${transactions} transactions meanwhile; verified ${looks + 1} times after the repair: ${remaining} rows differ`,
  );
  const falseAlarms = found.filter((name) => !planted.has(name)).length;
  return {
    planted: planted.size,
    found: found.length - falseAlarms,
    falseAlarms,
    remainingAfterRepair: remaining,
    converged: found.length - falseAlarms === planted.size && falseAlarms === 0 && remaining === 0,
  };
}

async function remainingOf(config: object): Promise<number> {
  return (await runLockstep<Said>(config, "verify")).json.different;
}

async function isOver(load: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    load.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
}

function namesOf({ reports }: Said): string[] {
  return reports.flatMap(({ target, tables }) =>
    tables.flatMap(({ table, differences }) =>
      differences.map(
        ({ key, kind }) => `${target} ${table.slice(table.indexOf(".") + 1)} ${key!.join()} ${kind}`,
      ),
    ),
  );
}

function configOf({ redis, source, targets }: DemoServers): object {
  return {
    redis,
    sources: { shop: { url: source } },
    targets: {
      reporting: { type: "postgres", url: targets.reporting, schema: "managed" },
      warehouse: { type: "mysql", url: targets.warehouse, schema: "managed" },
    },
  };
}
