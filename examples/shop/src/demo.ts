import { Command, InvalidArgumentError, Option } from "commander";
import { fullSyncScenario } from "./demo/scenario-full-sync.js";
import { incrementalScenario } from "./demo/scenario-incremental.js";
import { type DemoOptions, shopScenario } from "./demo/scenario-shop.js";
import { dualWriteScenario } from "./demo/scenario-dual-write.js";
import { readsScenario } from "./demo/scenario-reads.js";
import { twoWayScenario } from "./demo/scenario-two-way.js";
import { verifyScenario } from "./demo/scenario-verify.js";

/** The demo's scenarios, by the name that `--scenario` takes. */
const scenarios: Readonly<
  Record<string, (options: DemoOptions) => Promise<{ readonly converged: boolean }>>
> = {
  shop: shopScenario,
  "full-sync": fullSyncScenario,
  incremental: incrementalScenario,
  verify: verifyScenario,
  reads: readsScenario,
  "dual-write": dualWriteScenario,
  "two-way": twoWayScenario,
};

const program = new Command("demo")
  .description(
    "Runs a TypeORM shop, Lockstep and two target databases on this machine, then compares every row.",
  )
  .addOption(new Option("--scenario <name>", "what to show").choices(Object.keys(scenarios)).default("shop"))
  .option("--seconds <n>", "how long the shop writes", positive, 20)
  .option("--rate <n>", "transactions per second", positive, 250)
  .option("--reads <n>", "so many reads, however long it takes (scenario reads)", positive)
  .option("--json", "print one JSON object as the last line", false)
  .option("--keep", "leave everything running until Ctrl-C", false)
  .option("--verbose", "show the services' logs", false)
  .parse();

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 1e6) throw new InvalidArgumentError("must be a positive number.");
  return value;
}

interface Flags {
  readonly scenario: string;
  readonly seconds: number;
  readonly rate: number;
  readonly reads?: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly verbose: boolean;
}

const { scenario, json, ...flags } = program.opts<Flags>();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const say = (line: string) => void process.stdout.write(`${line}\n`);
const result = await scenarios[scenario]!({ ...flags, say, signal: stop.signal });
if (json) say(JSON.stringify(result));
process.exit(result.converged ? 0 : 1);
