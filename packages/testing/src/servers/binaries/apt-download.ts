import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellReaper } from "../reaper/reaper.js";
import { run } from "./run.js";

/** A folder in which apt works without rights: its own settings, caches and, when the system's are of no use, lists. */
interface Workplace {
  readonly folder: string;
  /** Updated at most once, however many downloads need it. */
  lists?: Promise<void>;
}

let current: Promise<Workplace> | undefined;
let users = 0;

/**
 * Downloads `name` with those of its dependencies that this system lacks, and calls `take` with the paths of the .deb
 * files; they are gone afterwards.
 */
export async function withPackages(
  name: string,
  take: (debs: readonly string[]) => Promise<void>,
): Promise<void> {
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

async function leaveWorkplace(): Promise<void> {
  const leaving = current;
  current = undefined;
  const place = await leaving?.catch(() => undefined);
  if (place === undefined) return;
  await rm(place.folder, { recursive: true, force: true });
  tellReaper({ forget: place.folder });
}

async function makeWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-apt-"));
  tellReaper({ watch: folder });
  await mkdir(join(folder, "lists", "partial"), { recursive: true });
  await writeFile(join(folder, "apt.conf"), settings(folder));
  return { folder };
}

function settings(folder: string): string {
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

async function download(place: Workplace, name: string): Promise<string> {
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

async function systemHasLists(): Promise<boolean> {
  const files = await readdir("/var/lib/apt/lists").catch(() => []);
  return files.some((file) => file.includes("_Packages"));
}

async function aptGet(place: Workplace, ...args: readonly string[]): Promise<void> {
  await run("apt-get", [`-c=${join(place.folder, "apt.conf")}`, ...args]);
}

function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
