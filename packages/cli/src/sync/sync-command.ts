import { type Job, LockstepError } from "@lockstep/core";
import { type OpenSync, shownJob, startJob, sumsOf, withSync } from "@lockstep/jobs";
import { type Command, InvalidArgumentError } from "commander";
import { configOf } from "../config-of.js";
import { driveHere } from "../drive-here.js";
import { exitCodes, type Terminal } from "../terminal.js";
import { type IncrementalOptions, incrementalOptions, syncIncremental } from "./incremental-command.js";
import { progressDisplay } from "./progress-bar.js";

const kind = "full";

interface FullOptions {
  readonly entity?: readonly string[];
  readonly target?: readonly string[];
  readonly where?: string;
  readonly keepExtra?: true;
  readonly throughStream?: true;
  readonly hold?: number;
  readonly anew?: true;
  readonly rate?: number;
}

interface Options extends FullOptions {
  readonly config?: string;
  readonly source?: string;
  readonly json?: true;
}

/** `lockstep sync …`: brings targets from whatever they hold to what the source holds. */
export function addSync(program: Command, terminal: Terminal, result: { code: number }): void {
  const sync = program
    .command("sync")
    .description("Copies existing rows through the stream, and looks after these jobs.");
  const command = (name: string, description: string): Command =>
    sync
      .command(name)
      .description(description)
      .option(
        "-c, --config <file>",
        "configuration file (default: lockstep.config.* in the working directory)",
      )
      .option("-s, --source <name>", "which source, when there are several")
      .option("--json", "one object as the last line");
  const work = async (open: OpenSync, job: Job, options: Options): Promise<void> => {
    result.code = await run(open, job, options, terminal);
  };

  command(
    "full",
    "Copies the rows of captured tables to the targets while the application writes, and removes what the source doesn't have.",
  )
    .option("--entity <table...>", "only these captured tables, as name or namespace.name (default: all)")
    .option("--target <name...>", "only these targets (default: all); others are left alone")
    .option(
      "--where <condition>",
      "only rows of the one table that meet this SQL condition; implies --keep-extra",
    )
    .option("--keep-extra", "leave rows that the source doesn't have in the targets")
    .option(
      "--anew",
      "also targets that no longer follow, as changes they need are gone: they follow from now on",
    )
    .option(
      "--through-stream",
      "also into empty tables: slower, but the target's other tables keep up with the source meanwhile",
    )
    .option(
      "--hold <seconds>",
      "how long a target's changes may wait at a time while rows are copied into empty tables (default: 300)",
      holdOf,
    )
    .option("--rate <rows>", "at most so many rows a second", rateOf)
    .action((options: Options) =>
      atSource(options, async (open) => work(open, await begin(open, options), options)),
    );
  incrementalOptions(
    command(
      "incremental",
      "Reads what has changed in tables that no capture may touch, by a change column, and sends it to the targets.",
    ),
    rateOf,
  ).action((options: Options & IncrementalOptions) =>
    atSource(options, async (open) => {
      result.code = await syncIncremental(open, options, terminal);
    }),
  );
  command("resume [id]", "Goes on with a job that was paused, or whose process died.").action(
    (id: string | undefined, options: Options) =>
      atSource(options, async (open) => work(open, await resumed(open, id), options)),
  );
  for (const [name, state, description] of [
    ["pause", "paused", "Pauses a job; whatever process works on it stops."],
    ["cancel", "cancelled", "Ends a job; what it has copied stays."],
  ] as const) {
    command(`${name} [id]`, description).action((id: string | undefined, options: Options) =>
      atSource(options, async ({ jobs }) => {
        const job = await jobs.move((await liveJob({ jobs }, id)).id, state);
        print([job], options, terminal);
      }),
    );
  }
  command("list", "Shows the last jobs.").action((options: Options) =>
    atSource(options, async ({ jobs }) => print(await jobs.list({ kind, limit: 20 }), options, terminal)),
  );
}

function begin(open: OpenSync, asked: FullOptions): Promise<Job> {
  const { entity, target, where, keepExtra, throughStream, hold, anew, rate } = asked;
  const options = {
    ...(entity !== undefined && { entities: [...entity] }),
    ...(target !== undefined && { targets: [...target] }),
    ...(where !== undefined && { where }),
    ...(keepExtra && { keepExtra }),
    ...(throughStream && { throughStream }),
    ...(hold !== undefined && { hold }),
    ...(anew && { anew }),
    ...(rate !== undefined && { rate }),
  };
  return startJob(open, { kind, options }, { by: "command" });
}

/** Lends the one source that is meant. @throws LockstepError CONFIG_INVALID. */
async function atSource(options: Options, work: (open: OpenSync) => Promise<void>): Promise<void> {
  await withSync(await configOf(options), options.source, work);
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (!(rate > 0)) throw new InvalidArgumentError("must be a number above 0.");
  return rate;
}

function holdOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 86_400)) throw new InvalidArgumentError("must be 0.1 to 86400 seconds.");
  return seconds;
}

/** The job named, or the only live one. */
async function liveJob({ jobs }: Pick<OpenSync, "jobs">, id: string | undefined): Promise<Job> {
  const job = id === undefined ? (await jobs.list({ kind, limit: 1 }))[0] : await jobs.find(id);
  if (job !== undefined) return job;
  throw new LockstepError("JOB_UNKNOWN", id === undefined ? "there is no job" : `there is no job ${id}`);
}

async function resumed(open: OpenSync, id: string | undefined): Promise<Job> {
  const job = await liveJob(open, id);
  if (job.state !== "running") return open.jobs.move(job.id, "running");
  // It may have lost its process.
  await using claim = await open.jobs.claim(job.id);
  if (claim === undefined) throw new LockstepError("JOB_LIVE", `another process works on job ${job.id}`);
  return job;
}

async function run(open: OpenSync, job: Job, options: Options, terminal: Terminal): Promise<number> {
  const display = progressDisplay(terminal);
  const began = performance.now();
  const before = sumsOf(job).rows;
  try {
    const end = await driveHere(open, job, {
      onProgress: (progress, waitingFor) => display.show(sumsOf({ ...job, progress }), waitingFor),
    });
    display.end();
    const { rows, removedRows: removed = 0 } = sumsOf((await open.jobs.find(job.id))!);
    const seconds = (performance.now() - began) / 1000;
    const rowsPerSecond = Math.round((rows - before) / seconds);
    terminal.out(`job ${job.id} is ${end}: ${rows} rows copied, ${removed} removed, ${rowsPerSecond} rows/s`);
    if (end === "paused") terminal.out(`go on with: lockstep sync resume ${job.id}`);
    if (options.json) {
      terminal.out(JSON.stringify({ job: job.id, state: end, rows, removed, seconds, rowsPerSecond }));
    }
    return end === "done" ? exitCodes.ok : exitCodes.found;
  } finally {
    display.end();
  }
}

function print(jobs: readonly Job[], { json }: Options, terminal: Terminal): void {
  for (const job of jobs) {
    const { id, state, startedAt, code } = job;
    const { rows, expectedRows = rows } = sumsOf(job);
    const at = new Date(startedAt).toISOString();
    terminal.out(
      `${id}  ${job.kind}  ${state}${code ? ` (${code})` : ""}  ${rows} of about ${expectedRows} rows  since ${at}`,
    );
  }
  if (json) terminal.out(JSON.stringify({ jobs: jobs.map((job) => shownJob(job)) }));
}
