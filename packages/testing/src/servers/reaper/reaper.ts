import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** A line sent to the reaper process. */
export type ReaperMessage =
  | { readonly watch: string; readonly pid?: number; readonly signal?: NodeJS.Signals }
  | { readonly forget: string };

let reaper: ChildProcess | undefined;

/**
 * Tells the reaper what to end and remove when this process is gone: a folder, and the server that runs in it.
 * The reaper is a process of its own that waits for the end of its standard input, which the kernel closes however this
 * process ends, SIGKILL included.
 */
export function tellReaper(message: ReaperMessage): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${JSON.stringify(message)}\n`);
}

function startReaper(): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./reaper-main.js", import.meta.url))], {
    // A session of its own: Ctrl-C in the terminal must not end it before it has done its work.
    detached: true,
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Killed by hand? Then nobody cleans up after a crash; the tests themselves go on.
  child.stdin.on("error", () => undefined);
  // Neither the process nor its pipe may keep a test process alive.
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
