import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { processesIn } from "./reaper/processes-in.js";

/** Name of the file that says whose a folder is: a process id. */
const ownerFile = "owner";
const prefix = "lockstep-";

const swept = new Map<string, Promise<void>>();

/** A new folder of this process below `parent`. The first one takes away those that nobody else could. */
export async function makeOwnedFolder(parent: string, name: string): Promise<string> {
  await (swept.get(parent) ?? sweepOnce(parent));
  const folder = await mkdtemp(join(parent, `${prefix}${name}-`));
  await writeFile(join(folder, ownerFile), String(process.pid));
  return folder;
}

function sweepOnce(parent: string): Promise<void> {
  const sweeping = sweep(parent).catch(() => undefined);
  swept.set(parent, sweeping);
  return sweeping;
}

/** Who killed a process, its servers and its reaper at one blow (a container that was stopped, `kill -9 -1`) left their data behind. */
async function sweep(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name);
      if (await isAbandoned(folder))
        await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

// A process of that number may be another one by now: then the folder stays for a later run.
async function isAbandoned(folder: string): Promise<boolean> {
  const owner = Number(await readFile(join(folder, ownerFile), "utf8").catch(() => ""));
  if (!(owner > 0) || isAlive(owner)) return false;
  return (await processesIn(folder))?.length === 0;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: somebody else's, and alive.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
