import { isLockstepError, type Job, LockstepError, tableId } from "@lockstep/core";
import { type OpenSync, startJob, sumsOf, watchedTables } from "@lockstep/jobs";
import { incrementalKind as kind, type IncrementalProgress, suggestion } from "@lockstep/sync";
import type { Command } from "commander";
import { driveBegun } from "../drive-here.js";
import { exitCodes, type Terminal } from "../terminal.js";

/** Options of `lockstep sync incremental`. */
export interface IncrementalOptions {
  readonly entity?: readonly string[];
  readonly target?: readonly string[];
  readonly every?: number;
  readonly deletes?: true;
  readonly rate?: number;
  readonly anew?: true;
  readonly json?: true;
  readonly suggest?: true;
}

/** Gives a command the options of `lockstep sync incremental`. */
export function incrementalOptions(command: Command, positive: (text: string) => number): Command {
  return command
    .option("--entity <table...>", "only these tables of the configuration's incremental (default: all)")
    .option("--every <seconds>", "a pass every so many seconds, until it is stopped (default: one)", positive)
    .option("--deletes", "compare keys in the first pass, and remove rows that the source doesn't have")
    .option("--rate <rows>", "at most so many rows a second", positive)
    .option("--anew", "every row once more, as if no pass had been made")
    .option("--target <name...>", "with --anew: only to these targets")
    .option("--suggest", "print the statements that give a table a change column, and do nothing");
}

/** Makes passes until they are done or the process is told to stop; gives the exit code. */
export async function syncIncremental(
  open: OpenSync,
  options: IncrementalOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.suggest) return suggest(open, options, terminal);
  const job = await begin(open, options);
  const stop = new AbortController();
  const stopIt = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stopIt);
  const began = performance.now();
  try {
    const end = await driveBegun(open, job, { stop: stop.signal, onProgress: linesOf(job, terminal) });
    const after = (await open.jobs.find(job.id))!;
    const { tables, passes } = after.progress as IncrementalProgress;
    const { rows, removedRows: removed = 0 } = sumsOf(after);
    const unmarked = tables.filter(({ hasUnmarked }) => hasUnmarked).map(({ table }) => tableId(table));
    terminal.out(`job ${job.id} is ${end}: ${rows} rows sent, ${removed} removed, ${passes} pass(es)`);
    for (const id of unmarked) {
      terminal.out(`${id}: rows without a value in its change column are never found; give them one`);
    }
    const seconds = (performance.now() - began) / 1000;
    if (options.json) {
      terminal.out(JSON.stringify({ job: job.id, state: end, rows, removed, passes, unmarked, seconds }));
    }
    return end === "done" && unmarked.length === 0 ? exitCodes.ok : exitCodes.found;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stopIt);
  }
}

const lineEveryMs = 5_000;

/** A line now and then: how many rows there will be, nobody knows. */
function linesOf(job: Job, terminal: Terminal): (progress: unknown, waitingFor?: string) => void {
  let saidAt = performance.now();
  return (progress, waitingFor) => {
    if (performance.now() - saidAt < lineEveryMs) return;
    saidAt = performance.now();
    const waiting = waitingFor === undefined ? "" : `, waits for ${waitingFor}`;
    const { passes } = progress as IncrementalProgress;
    terminal.error(`${sumsOf({ ...job, progress }).rows} rows sent, ${passes} pass(es)${waiting}`);
  };
}

/** A job whose process is gone gives way to this one, which goes on where it stood. */
async function begin(open: OpenSync, wish: IncrementalOptions): Promise<Job> {
  const { entity, target, every, deletes, rate, anew } = wish;
  const options = {
    ...(entity !== undefined && { entities: [...entity] }),
    ...(target !== undefined && { targets: [...target] }),
    ...(every !== undefined && { every }),
    ...(deletes && { deletes }),
    ...(rate !== undefined && { rate }),
    ...(anew && { anew }),
  };
  const start = (): Promise<Job> => startJob(open, { kind, options }, { by: "command" });
  try {
    return await start();
  } catch (error) {
    if (!isLockstepError(error, "JOB_LIVE") || !(await endAbandoned(open))) throw error;
    return start();
  }
}

/** Whether there was one that is running and that no process works on. */
async function endAbandoned({ jobs }: OpenSync): Promise<boolean> {
  const [running] = await jobs.list({ kind, states: ["running"], limit: 1 });
  await using claim = running && (await jobs.claim(running.id));
  if (claim === undefined) return false;
  await jobs.move(claim.id, "cancelled");
  return true;
}

async function suggest(
  { chosen, rows }: OpenSync,
  { entity }: IncrementalOptions,
  terminal: Terminal,
): Promise<number> {
  const watched = await watchedTables(chosen, entity);
  for (const [name, table] of watched) {
    const surveyed = table && (await rows.survey(table));
    if (surveyed === undefined) throw new LockstepError("ENTITY_UNKNOWN", `the source has no table ${name}`);
    for (const statement of suggestion(surveyed.schema).column) terminal.out(statement);
  }
  return exitCodes.ok;
}
