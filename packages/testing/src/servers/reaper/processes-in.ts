import { readdir, readlink } from "node:fs/promises";

/**
 * The processes whose working folder is `folder` or below it: all that a server started there has left.
 * `undefined` where the system can't say (no /proc).
 */
export async function processesIn(folder: string): Promise<readonly number[] | undefined> {
  const entries = await readdir("/proc").catch(() => undefined);
  if (entries === undefined) return undefined;
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  const inside = await Promise.all(pids.map((pid) => worksIn(pid, folder)));
  return pids.filter((_, index) => inside[index]).map(Number);
}

async function worksIn(pid: string, folder: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return cwd === folder || cwd.startsWith(`${folder}/`);
}
