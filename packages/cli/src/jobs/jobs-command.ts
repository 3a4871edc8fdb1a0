import { userInfo } from "node:os";
import { LockstepError } from "@lockstep/core";
import { type CalledJob, type JobDesk, type JobView, openJobDesk, reportsOf, shownJob } from "@lockstep/jobs";
import { type Command, InvalidArgumentError } from "commander";
import { configOf } from "../config-of.js";
import { exitCodes, type Terminal } from "../terminal.js";
import { printReport } from "../verify/print-report.js";

/** Options of every command about jobs and schedules. */
export interface DeskOptions {
  readonly config?: string;
  readonly source?: string;
  readonly json?: true;
}

interface ListOptions extends DeskOptions {
  readonly kind?: string;
  readonly schedule?: string;
  readonly limit: number;
}

/** `lockstep jobs …`: looks after the jobs of a source, whoever began them. */
export function addJobs(program: Command, terminal: Terminal, result: { code: number }): void {
  const jobs = program
    .command("jobs")
    .description("Looks after jobs: those of commands, schedules and requests.");
  deskCommand(jobs, "list", "Shows the last jobs, the newest first.")
    .option("--kind <kind>", "only of this kind")
    .option("--schedule <name>", "only of this schedule, what it missed included")
    .option("--limit <n>", "so many at most", countOf, 20)
    .action((options: ListOptions) =>
      atDesk(options, async (desk) => {
        const { kind, schedule, limit } = options;
        const filter = {
          ...(kind !== undefined && { kind }),
          ...(schedule !== undefined && { schedule }),
          limit,
        };
        const listed = await desk.list(filter);
        for (const job of listed) terminal.out(lineOf(job));
        if (options.json) terminal.out(JSON.stringify({ jobs: listed.map(shownJob) }));
      }),
    );
  deskCommand(jobs, "show <id>", "Shows a job: how far it is, how fast, and what it found.").action(
    (id: string, options: DeskOptions) =>
      atDesk(options, async (desk) => {
        const job = await desk.find(id);
        show(job, terminal);
        if (options.json)
          terminal.out(JSON.stringify({ job: { ...shownJob(job), reports: reportsOf(job) } }));
        result.code = job.state === "failed" ? exitCodes.found : exitCodes.ok;
      }),
  );
  const decision = (
    verb: "pause" | "resume" | "cancel",
    description: string,
    decide: (desk: JobDesk, id: string) => Promise<JobView | CalledJob>,
  ): Command =>
    deskCommand(jobs, `${verb} <id>`, description).action((id: string, options: DeskOptions) =>
      atDesk(options, async (desk) => said(await decide(desk, id), options, terminal)),
    );
  decision("pause", "Pauses a job; whatever process works on it stops.", (desk, id) => desk.pause(id));
  decision("resume", "Lets a consumer go on with a job.", (desk, id) => desk.resume(id));
  decision("cancel", "Ends a job; what it has done stays.", (desk, id) => desk.cancel(id));
}

/** A command with the options that all of them have. */
export function deskCommand(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .option("-c, --config <file>", "configuration file (default: lockstep.config.* in the working directory)")
    .option("-s, --source <name>", "which source, when there are several")
    .option("--json", "one object as the last line");
}

/** Lends the desk of the one source that is meant. @throws LockstepError CONFIG_INVALID. */
export async function atDesk(options: DeskOptions, work: (desk: JobDesk) => Promise<void>): Promise<void> {
  const config = await configOf(options);
  const names = Object.keys(config.sources);
  const { source = names.length === 1 ? names[0] : undefined } = options;
  if (source === undefined)
    throw new LockstepError("CONFIG_INVALID", "there are several sources: name one with --source");
  const desk = openJobDesk(config, source);
  try {
    await work(desk);
  } finally {
    await desk.close();
  }
}

/** Who decides, for the record. */
export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return "command";
  }
}

/** Says what became of a job. */
export function said(job: JobView | CalledJob, { json }: DeskOptions, terminal: Terminal): void {
  terminal.out(lineOf(job));
  if ("isCalled" in job && !job.isCalled)
    terminal.error("Redis is away: a consumer finds the job by itself, some seconds later");
  if (json) terminal.out(JSON.stringify({ job: shownJob(job) }));
}

function lineOf({ id, kind, state, code, origin, startedAt, sums, report }: JobView): string {
  const { rows, expectedRows, differentRows } = sums;
  const parts = [
    `${state}${code === undefined ? "" : ` (${code})`}`,
    expectedRows === undefined ? `${rows} rows` : `${rows} of about ${expectedRows} rows`,
    ...(differentRows ? [`${differentRows} differ`] : []),
    ...(report === undefined ? [] : [`${report.rowsPerSecond} rows/s`]),
    ...(report?.waitingFor === undefined ? [] : [`waits for ${report.waitingFor}`]),
    origin.schedule === undefined ? `by ${origin.by}` : `by ${origin.by}, schedule ${origin.schedule}`,
    `since ${new Date(startedAt).toISOString()}`,
  ];
  return `${id}  ${kind}  ${parts.join("  ")}`;
}

function show(job: JobView, terminal: Terminal): void {
  terminal.out(lineOf(job));
  if (job.state === "running" && job.report === undefined)
    terminal.out("  no process says that it works on it");
  if (job.sums.table !== undefined) terminal.out(`  at ${job.sums.table}`);
  if (job.finishedAt !== undefined) terminal.out(`  ended ${new Date(job.finishedAt).toISOString()}`);
  for (const report of reportsOf(job)) printReport(report, terminal);
}

function countOf(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000)
    throw new InvalidArgumentError("must be 1 to 1000.");
  return value;
}
