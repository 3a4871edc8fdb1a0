import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.js";

/**
 * A folder in which apt works without rights: its own settings, caches and, when the system's are of no use, lists.
 *
 * @typedef {object} Workplace
 * @property {string} folder
 * @property {Promise<void>} [lists] Updated at most once, however many downloads need it.
 */

/** @type {Promise<Workplace> | undefined} */
let current;
let users = 0;

/**
 * Downloads `name` with those of its dependencies that this system lacks, and calls `take` with the paths of the .deb
 * files; they are gone afterwards.
 *
 * @param {string} name
 * @param {(debs: readonly string[]) => Promise<void>} take
 * @returns {Promise<void>}
 */
export async function withPackages(name, take) {
  // Counted before anything is awaited: the last user's leaving must not take the folder from the next.
  users++;
  try {
    const place = await (current ??= makeWorkplace());
    const archives = await download(place, name);
    const files = (await readdir(archives)).filter((file) => file.endsWith(".deb"));
    await take(files.map((file) => join(archives, file)));
  } finally {
    users--;
    if (users === 0) await leaveWorkplace();
  }
}

async function leaveWorkplace() {
  const leaving = current;
  current = undefined;
  const place = await leaving?.catch(() => undefined);
  if (place === undefined) return;
  await rm(place.folder, { recursive: true, force: true });
}

/** @returns {Promise<Workplace>} */
async function makeWorkplace() {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-apt-"));
  // For a process that is ended in the middle of a download.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "lists", "partial"), { recursive: true });
  await writeFile(join(folder, "apt.conf"), settings(folder));
  return { folder };
}

/**
 * @param {string} folder
 * @returns {string}
 */
function settings(folder) {
  return [
    `Dir::Cache "${folder}";`,
    // Container images switch these off; kept, they halve the time of what follows the update.
    'Dir::Cache::pkgcache "pkgcache.bin";',
    'Dir::Cache::srcpkgcache "srcpkgcache.bin";',
    'Acquire::GzipIndexes "false";',
    'Acquire::Languages "none";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
    // All folders are our own, so there is nothing to lock, and the user "_apt" could not enter them.
    'Debug::NoLocking "true";',
    'APT::Sandbox::User "";',
    // The system's own clean-up after an update is not for us to run.
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    "",
  ].join("\n");
}

/**
 * @param {Workplace} place
 * @param {string} name
 * @returns {Promise<string>} The folder that holds the .deb files.
 */
async function download(place, name) {
  const archives = join(place.folder, name);
  await mkdir(join(archives, "partial"), { recursive: true });
  const install = ["install", "--yes", "--download-only", "--no-install-recommends", name];
  const into = ["-o", `Dir::Cache::archives=${archives}`];
  // The system's lists are the quick way. They may name versions that are gone by now.
  if ((await systemHasLists()) && (await succeeds(aptGet(place, ...into, ...install)))) return archives;
  const lists = ["-o", `Dir::State::lists=${join(place.folder, "lists")}`];
  place.lists ??= aptGet(place, ...lists, "update");
  await place.lists;
  await aptGet(place, ...lists, ...into, ...install);
  return archives;
}

/** @returns {Promise<boolean>} */
async function systemHasLists() {
  const files = await readdir("/var/lib/apt/lists").catch(() => /** @type {string[]} */ ([]));
  return files.some((file) => file.includes("_Packages"));
}

/**
 * @param {Workplace} place
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
async function aptGet(place, ...args) {
  await run("apt-get", [`-c=${join(place.folder, "apt.conf")}`, ...args]);
}

/**
 * @param {Promise<void>} work
 * @returns {Promise<boolean>}
 */
function succeeds(work) {
  return work.then(
    () => true,
    () => false,
  );
}
