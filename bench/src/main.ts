import { cpus, totalmem } from "node:os";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { benchCapture } from "./capture.js";
import { benchDualWrite } from "./dual-write.js";
import { benchEndToEnd } from "./end-to-end.js";
import type { BenchCapture } from "./end-to-end/backlog.js";
import { benchPublisher } from "./publisher.js";
import { benchSnapshot } from "./snapshot.js";
import { benchVerify } from "./verify.js";

const program = new Command("bench")
  .description("Measured comparisons: paired rounds in one run, ratios with min / median / max.")
  .addArgument(
    new Argument("<scenario>").choices([
      "end-to-end",
      "publisher",
      "capture",
      "snapshot",
      "verify",
      "dual-write",
    ]),
  )
  .option("--rounds <n>", "paired rounds", count, 9)
  .option(
    "--events <n>",
    "rows of the backlog (end-to-end), of the table (verify; snapshot: 1,000,000)",
    count,
    200_000,
  )
  .option("--rows-per-transaction <n>", "rows a source transaction writes (end-to-end)", count, 10)
  .addOption(
    new Option("--capture <kind>", "how the source is captured (end-to-end)")
      .choices(["subscriber", "wal"])
      .default("subscriber"),
  )
  .option("--json", "print one JSON object as the last line", false)
  .parse();

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000_000)
    throw new InvalidArgumentError("must be a whole number of 1 or more.");
  return value;
}

const options = program.opts<{
  rounds: number;
  events: number;
  rowsPerTransaction: number;
  capture: BenchCapture;
  json: boolean;
}>();
const isGiven = (option: string): boolean => program.getOptionValueSource(option) !== "default";
const say = (line: string) => void process.stdout.write(`${line}\n`);
const machine = `${cpus().length} × ${cpus()[0]?.model ?? "cpu"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
say(machine);
const scenarios = {
  "end-to-end": () => benchEndToEnd(options, say),
  publisher: () => benchPublisher(options.rounds, say),
  capture: () => benchCapture(options.rounds, say),
  snapshot: () =>
    benchSnapshot({ rounds: options.rounds, rows: isGiven("events") ? options.events : 1_000_000 }, say),
  "dual-write": () => benchDualWrite({ rounds: options.rounds, seconds: 5 }, say),
  verify: () => benchVerify({ rounds: options.rounds, rows: options.events }, say),
};
const result = await scenarios[program.args[0] as keyof typeof scenarios]();
say(options.json ? JSON.stringify({ ...result, machine }) : JSON.stringify(result, undefined, 2));
process.exit(0);
