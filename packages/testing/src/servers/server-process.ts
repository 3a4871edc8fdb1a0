import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tellReaper } from "./reaper/reaper.js";
import type { ServerPlan } from "./server-plan.js";
import { serverUser } from "./server-folder.js";

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** One run of a server's program, from spawn to exit. */
export interface ServerProcess {
  /** Asks it to end with `signal` and returns when it has; SIGKILL after a bound. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Thrown when the server could not have its port because somebody else took it meanwhile. */
export class PortTakenError extends Error {}

/** Starts the program and returns when it answers. @throws PortTakenError, or Error with the end of the server's log. */
export async function startProcess(plan: ServerPlan): Promise<ServerProcess> {
  const child = spawnServer(plan);
  const exited = once(child, "exit");
  exited.catch(() => undefined);
  try {
    await answers(plan, child);
  } catch (error) {
    await end(child, exited, "SIGKILL");
    throw error;
  }
  return { end: (signal) => end(child, exited, signal) };
}

function spawnServer(plan: ServerPlan): ChildProcess {
  const { program, args, env } = plan.command;
  const log = openSync(logFile(plan), "a");
  try {
    const child = spawn(program, args, {
      // The reaper knows a server by its working folder.
      cwd: plan.folder,
      env,
      // A Ctrl-C in the terminal is for the tests; they end their servers themselves.
      detached: true,
      stdio: ["ignore", log, log],
      ...serverUser(),
    });
    child.unref();
    if (child.pid !== undefined) tellReaper({ watch: plan.folder, pid: child.pid, signal: plan.killSignal });
    return child;
  } finally {
    closeSync(log);
  }
}

async function answers(plan: ServerPlan, child: ChildProcess): Promise<void> {
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const ready = await Promise.race([plan.probe().catch(() => false), failed]);
    if (ready && child.exitCode === null) return;
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) break;
    await sleep(15);
  }
  const log = await logEnd(plan);
  if (/address (is )?already in use|could not bind/i.test(log)) throw new PortTakenError(log);
  const how = child.exitCode ?? child.signalCode ?? `no answer for ${START_TIMEOUT_MS} ms`;
  throw new Error(`${plan.kind} did not start (${how}); the end of its log:\n${log}`);
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  // While this process waits for the exit, the child must keep it alive.
  child.ref();
  child.kill(signal);
  const patience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(patience);
}

function logFile(plan: ServerPlan): string {
  return join(plan.folder, "server.log");
}

async function logEnd(plan: ServerPlan): Promise<string> {
  const log = await readFile(logFile(plan), "utf8").catch(() => "(no log)");
  return log.split("\n").slice(-25).join("\n");
}
