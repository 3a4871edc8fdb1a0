import { comparedSources, type JobEnd, readableTargets, startJob, withSync } from "@lockstep/jobs";
import type { JobRequest } from "@lockstep/config";
import type { VerifyReport } from "@lockstep/sync";
import { type Command, InvalidArgumentError } from "commander";
import { configOf } from "../config-of.js";
import { driveHere } from "../drive-here.js";
import { exitCodes, type Terminal } from "../terminal.js";
import { printReport } from "./print-report.js";
import { type SavedReport, savedReport } from "./saved-report.js";

interface Options {
  readonly source?: string;
  readonly target?: string;
  readonly entity?: readonly string[];
  readonly config?: string;
  readonly sample?: number;
  readonly rate?: number;
  readonly slice?: number;
  readonly limit: number;
  readonly timeout: number;
  readonly values?: true;
  readonly json?: true;
  readonly dryRun?: true;
  readonly report?: readonly SavedReport[];
}

/** `lockstep verify`: whether targets hold what their source holds, while both are written to. */
export function addVerify(program: Command, terminal: Terminal, result: { code: number }): void {
  common(program.command("verify"))
    .description(
      "Compares targets with their sources, row by row, while both are written to. Exit code 1: rows differ.",
    )
    .option("--sample <percent>", "compare only this share of the rows' slices", percent)
    .action(async (options: Options) => {
      const { sample } = options;
      const request = {
        kind: "verify",
        options: { ...asked(options), ...(sample !== undefined && { sample }) },
      } as const;
      const { reports, isWhole } = await compare(() => request, options, terminal);
      say(reports, options, terminal);
      const wrong = reports.some(({ different, tables }) => different > 0 || tables.some(isUnknown));
      result.code = wrong || !isWhole ? exitCodes.found : exitCodes.ok;
    });
}

/** `lockstep repair`: sends rows that differ once more. */
export function addRepair(program: Command, terminal: Terminal, result: { code: number }): void {
  common(program.command("repair"))
    .description(
      "Verifies, and sends the source's rows that differ once more, through the stream, to that target alone. Exit code 1: rows still differ.",
    )
    .option("--dry-run", "only say what would be sent")
    .option(
      "--report <file>",
      "look only at the rows that this output of `lockstep verify --json` names; each is judged anew",
      savedReport,
    )
    .action(async (options: Options) => {
      const isDry = options.dryRun === true;
      const requestOf = (source: string): JobRequest | undefined => {
        const only = options.report?.filter((report) => report.source === source);
        if (only?.length === 0) return undefined;
        return {
          kind: "repair",
          options: { ...asked(options), ...(isDry && { dryRun: true }), ...(only && { only: [...only] }) },
        };
      };
      const { reports, isWhole } = await compare(requestOf, options, terminal);
      say(reports, options, terminal);
      const wrong = isDry
        ? reports.some(({ different }) => different > 0)
        : reports.some(({ tables }) => tables.some(remains));
      result.code = wrong || !isWhole ? exitCodes.found : exitCodes.ok;
    });
}

/** A job for each source that there is something to ask of, one after another. */
async function compare(
  requestOf: (source: string) => JobRequest | undefined,
  options: Options,
  terminal: Terminal,
): Promise<{ readonly reports: readonly VerifyReport[]; readonly isWhole: boolean }> {
  const config = await configOf(options);
  const { source } = options;
  const targets = options.target === undefined ? undefined : [options.target];
  const reports: VerifyReport[] = [];
  const ends: JobEnd[] = [];
  for (const name of comparedSources(config, { source, targets })) {
    const request = requestOf(name);
    if (request === undefined) continue;
    await withSync(config, name, async (open) => {
      const { readable, skipped } = readableTargets(open, targets);
      for (const target of skipped) terminal.error(`${target}: NOT COMPARED: nothing can be read of it`);
      if (readable.length === 0) return;
      const job = await startJob(open, request, { by: "command" });
      const show = { values: options.values === true, report: (one: VerifyReport) => void reports.push(one) };
      const end = await driveHere(open, job, { show });
      ends.push(end);
      if (end !== "done")
        terminal.error(
          `job ${job.id} is ${end}: lockstep jobs resume ${job.id} goes on, lockstep jobs cancel ${job.id} ends it`,
        );
    });
    if (ends.some((end) => end !== "done")) break;
  }
  return { reports, isWhole: ends.every((end) => end === "done") };
}

type Table = VerifyReport["tables"][number];
const remains = ({ mended }: Table): boolean => (mended?.remaining ?? 0) > 0;
/** What nobody can say isn't known to be equal. */
const isUnknown = ({ unmapped }: Table): boolean => unmapped > 0;

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

function asked({ target, entity, rate, slice, limit, timeout }: Options) {
  return {
    ...(target !== undefined && { targets: [target] }),
    ...(entity !== undefined && { entities: [...entity] }),
    ...(rate !== undefined && { rate }),
    ...(slice !== undefined && { slice: Math.ceil(slice) }),
    limit,
    timeout,
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
