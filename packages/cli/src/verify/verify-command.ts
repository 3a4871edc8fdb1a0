import { atPairs, type Pair, type PairOptions } from "@lockstep/jobs";
import { repair, verify, type VerifyOptions, type VerifyReport } from "@lockstep/sync";
import { type Command, InvalidArgumentError } from "commander";
import { configOf } from "../config-of.js";
import { exitCodes, type Terminal } from "../terminal.js";
import { printReport } from "./print-report.js";

interface Options extends PairOptions {
  readonly config?: string;
  readonly sample?: number;
  readonly rate?: number;
  readonly slice?: number;
  readonly limit: number;
  readonly timeout: number;
  readonly values?: true;
  readonly json?: true;
  readonly dryRun?: true;
}

/** `lockstep verify`: whether targets hold what their source holds, while both are written to. */
export function addVerify(program: Command, terminal: Terminal, result: { code: number }): void {
  const skipped = skippedOn(terminal);
  common(program.command("verify"))
    .description(
      "Compares targets with their sources, row by row, while both are written to. Exit code 1: rows differ.",
    )
    .option("--sample <percent>", "compare only this share of the rows' slices", percent)
    .action(async (options: Options) => {
      const reports = await atPairs(
        await configOf(options),
        options,
        (pair) => verify(pair, settingsOf(options, pair)),
        skipped,
      );
      say(reports, options, terminal);
      result.code = reports.some(({ different, tables }) => different > 0 || tables.some(isUnknown))
        ? exitCodes.found
        : exitCodes.ok;
    });
}

/** `lockstep repair`: sends rows that differ once more. */
export function addRepair(program: Command, terminal: Terminal, result: { code: number }): void {
  const skipped = skippedOn(terminal);
  common(program.command("repair"))
    .description(
      "Verifies, and sends the source's rows that differ once more, through the stream, to that target alone. Exit code 1: rows still differ.",
    )
    .option("--dry-run", "only say what would be sent")
    .action(async (options: Options) => {
      const isDry = options.dryRun === true;
      const reports = await atPairs(
        await configOf(options),
        options,
        (pair) => (isDry ? verify : repairPair)(pair, settingsOf(options, pair)),
        skipped,
      );
      say(reports, options, terminal);
      const wrong = isDry
        ? reports.some(({ different }) => different > 0)
        : reports.some(({ tables }) => tables.some(remains));
      result.code = wrong ? exitCodes.found : exitCodes.ok;
    });
}

const repairPair = (pair: Pair, settings: VerifyOptions): Promise<VerifyReport> => repair(pair, settings);

type Table = VerifyReport["tables"][number];
const remains = ({ mended }: Table): boolean => (mended?.remaining ?? 0) > 0;
/** What nobody can say isn't known to be equal. */
const isUnknown = ({ unmapped }: Table): boolean => unmapped > 0;

function skippedOn(terminal: Terminal): (target: string) => void {
  return (target) => terminal.error(`${target}: NOT COMPARED: nothing can be read of it`);
}

function common(command: Command): Command {
  return command
    .option("-c, --config <file>", "configuration file (default: lockstep.config.* in the working directory)")
    .option("-s, --source <name>", "only this source (default: all)")
    .option("-t, --target <name>", "only this target (default: all)")
    .option(
      "-e, --entity <table...>",
      "only these tables, as name or namespace.name (default: all that are captured)",
    )
    .option("--rate <rows>", "read at most so many rows a second on either side", positive)
    .option("--slice <rows>", "rows hashed by one statement", positive)
    .option("--limit <rows>", "name at most so many differing rows of a table", count, 100)
    .option("--timeout <seconds>", "how long a lane may take to apply what was committed", positive, 60)
    .option("--values", "show what differing columns hold, masked ones left out")
    .option("--json", "one object as the last line");
}

function settingsOf({ sample, rate, slice, limit, timeout, values }: Options, { mask }: Pair): VerifyOptions {
  return {
    maxReported: limit,
    passTimeoutMs: timeout * 1000,
    ...(sample !== undefined && { sample: sample / 100 }),
    ...(rate !== undefined && { maxRowsPerSecond: rate }),
    ...(slice !== undefined && { sliceRows: Math.ceil(slice) }),
    ...(values && { showsValues: (table: string, column: string) => !mask.hides(table, column) }),
  };
}

function say(reports: readonly VerifyReport[], { json }: Options, terminal: Terminal): void {
  for (const report of reports) printReport(report, terminal);
  if (!json) return;
  const different = reports.reduce((sum, report) => sum + report.different, 0);
  terminal.out(JSON.stringify({ reports, different }));
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 1e9) throw new InvalidArgumentError("must be a positive number.");
  return value;
}

function percent(text: string): number {
  const value = Number(text.replace(/%$/, ""));
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError("must be a share of 100, above 0.");
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 100_000)
    throw new InvalidArgumentError("must be 0 to 100000.");
  return value;
}
