import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/**
 * Ends this process when the npm that runs it is gone: npm can't pass a SIGKILL on, and tests or a demo that nobody waits
 * for would run on with their servers. Started by hand (nohup, a shell's background job), it may outlive its parent.
 */
export function endWithNpm() {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const child = childOfNpm();
  if (child === undefined) return;
  const npm = parentOf(child);
  setInterval(() => {
    if (parentOf(child) !== npm) process.kill(process.pid, "SIGKILL");
  }, LOOK_EVERY_MS).unref();
}

// npm runs scripts through a shell, which may stay between npm and this process.
function childOfNpm() {
  for (const child of [process.pid, process.ppid]) {
    const parent = parentOf(child);
    if (parent !== undefined && /\b(npm|pnpm|yarn)\b/.test(readProc(parent, "cmdline") ?? "")) return child;
  }
  // Where /proc can't say: most shells become the one command they run.
  return readProc(process.pid, "stat") === undefined ? process.pid : undefined;
}

function parentOf(pid) {
  if (pid === process.pid) return process.ppid;
  // "pid (name) state ppid …": the name may hold spaces and brackets.
  const stat = readProc(pid, "stat");
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
