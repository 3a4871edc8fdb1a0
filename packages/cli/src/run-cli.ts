import { readFileSync } from "node:fs";
import { isLockstepError, kindAndPlace, reasonOf } from "@lockstep/core";
import { Command, CommanderError } from "commander";
import { addCapture } from "./capture/capture-command.js";
import { addConflicts } from "./conflicts/conflicts-command.js";
import { addDoctor } from "./doctor/doctor-command.js";
import { addJobs } from "./jobs/jobs-command.js";
import { addSchedules } from "./jobs/schedules-command.js";
import { addSync } from "./sync/sync-command.js";
import { addTwoWay } from "./two-way/two-way-command.js";
import { addRepair, addVerify } from "./verify/verify-command.js";
import { exitCodes, processTerminal, type Terminal } from "./terminal.js";

export type { Terminal } from "./terminal.js";

/**
 * Runs `lockstep` with these arguments and gives its exit code: 0 all is well, 1 something is wrong (or failed), 2 the input is.
 * Never throws; errors go to the terminal.
 */
export async function runCli(args: readonly string[], terminal: Terminal = processTerminal): Promise<number> {
  const result = { code: exitCodes.ok as number };
  const program = new Command("lockstep")
    .description("Keeps databases in step with a TypeORM application's primary database.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
    });
  addCapture(program, terminal, result);
  addDoctor(program, terminal, result);
  addSync(program, terminal, result);
  addJobs(program, terminal, result);
  addSchedules(program, terminal);
  addTwoWay(program, terminal, result);
  addConflicts(program, terminal);
  addVerify(program, terminal, result);
  addRepair(program, terminal, result);
  try {
    await program.parseAsync(args, { from: "user" });
    return result.code;
  } catch (error) {
    return failed(error, terminal);
  }
}

function version(): string {
  const about = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(about) as { readonly version: string }).version;
}

function failed(error: unknown, terminal: Terminal): number {
  // Commander has said it itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const reason = reasonOf(error);
  // Only Lockstep's own errors are known to hold no values.
  terminal.error(isLockstepError(error) ? error.message : `failed: ${kindAndPlace(error)}`);
  if (reason !== undefined) terminal.error(`because: ${reason}`);
  return isLockstepError(error) && error.recovery === "refuse" ? exitCodes.usage : exitCodes.found;
}
