import { access, constants, mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * Where downloaded servers are kept: `$XDG_CACHE_HOME/lockstep/servers`, else `~/.cache/lockstep/servers`.
 * For root, whose home others can't enter though the servers run as "nobody": `/var/cache/lockstep/servers`, else a temp folder.
 *
 * @returns {Promise<string>}
 */
async function cacheFolder() {
  const candidates = [
    process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
    ...(process.getuid?.() === 0 ? ["/var/cache"] : []),
    join(tmpdir(), `lockstep-cache-${process.getuid?.() ?? 0}`),
  ];
  for (const base of candidates) {
    const folder = join(base, "lockstep", "servers");
    if (await usable(folder)) return folder;
  }
  throw new Error(`none of these folders can be written: ${candidates.join(", ")}`);
}

/**
 * @param {string} folder
 * @returns {Promise<boolean>}
 */
async function usable(folder) {
  try {
    if (process.getuid?.() === 0 && !(await everyoneMayTraverse(await nearestExisting(folder)))) return false;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await access(folder, constants.W_OK);
    // In a shared temp folder another user could have made it first, with programs of their own.
    return process.getuid === undefined || (await stat(folder)).uid === process.getuid();
  } catch {
    return false;
  }
}

/**
 * @param {string} path
 * @returns {Promise<string>}
 */
async function nearestExisting(path) {
  return (await exists(path)) ? path : nearestExisting(dirname(path));
}

/**
 * True when every folder on the way to `path` can be entered by any user.
 *
 * @param {string} path
 * @returns {Promise<boolean>}
 */
export async function everyoneMayTraverse(path) {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * The folder `<cache>/<name>`, filled by `fill` the first time. Several processes may fill it at once: each works in a
 * folder of its own, the first rename wins, and nobody ever sees half of it.
 *
 * @param {string} name
 * @param {(folder: string) => Promise<void>} fill
 * @returns {Promise<string>}
 */
export async function cached(name, fill) {
  const cache = await cacheFolder();
  const folder = join(cache, name);
  if (await exists(folder)) return folder;
  const draft = await mkdtemp(join(cache, `.${name}-`));
  try {
    const content = join(draft, "content");
    await mkdir(content, { mode: 0o755 });
    await fill(content);
    await rename(content, folder).catch(async (error) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

/**
 * True when something is at `path`.
 *
 * @param {string} path
 * @returns {Promise<boolean>}
 */
export async function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}
