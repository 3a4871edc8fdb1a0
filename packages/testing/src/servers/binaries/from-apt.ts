import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { ServerKind } from "../running-server.js";
import { cached, exists } from "./cache-folder.js";
import type { ServerBinary } from "./find-binary.js";
import { run } from "./run.js";

interface AptPackage {
  readonly name: string;
  /** Below the unpacked root; the first that exists is the server. */
  readonly programs: readonly string[];
}

const packages: Record<ServerKind, AptPackage> = {
  postgres: {
    name: "postgresql",
    programs: ["17", "16", "15", "14"].map((v) => `usr/lib/postgresql/${v}/bin/postgres`),
  },
  mariadb: { name: "mariadb-server-core", programs: ["usr/sbin/mariadbd"] },
  redis: { name: "redis-server", programs: ["usr/bin/redis-server"] },
};

/**
 * Downloads the distribution's own package with the libraries this system lacks, and unpacks it into the cache folder.
 * Nothing is installed and no rights are needed.
 */
export async function fromApt(kind: ServerKind): Promise<ServerBinary | undefined> {
  if (platform() !== "linux" || !(await exists("/usr/bin/apt-get"))) return undefined;
  const { name, programs } = packages[kind];
  const root = await cached(`${kind}-apt-${arch()}`, (folder) => unpack(name, folder));
  for (const program of programs) {
    if (await exists(join(root, program))) return describe(root, join(root, program));
  }
  throw new Error(`${name} holds none of ${programs.join(", ")}`);
}

async function describe(root: string, program: string): Promise<ServerBinary> {
  const bin = join(program, "..");
  const folders = [join(root, "usr/lib"), join(root, "lib")];
  for (const folder of folders.slice()) {
    const triplets = await readdir(folder).catch(() => []);
    folders.push(
      ...triplets.filter((entry) => entry.includes("-linux-")).map((entry) => join(folder, entry)),
    );
  }
  return { bin, program, base: join(root, "usr"), libraries: folders.join(delimiter) };
}

async function unpack(name: string, folder: string): Promise<void> {
  const archives = await download(name);
  try {
    const debs = (await readdir(archives)).filter((file) => file.endsWith(".deb"));
    for (const deb of debs) await run("dpkg-deb", ["-x", join(archives, deb), folder]);
  } finally {
    await rm(join(archives, ".."), { recursive: true, force: true });
  }
}

async function download(name: string): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), "lockstep-apt-"));
  const archives = join(cache, "archives");
  await mkdir(join(archives, "partial"), { recursive: true });
  const settings = aptSettings({ "Dir::Cache": cache });
  const install = ["install", "--yes", "--download-only", "--no-install-recommends", name];
  try {
    // The system's own lists are the quick way; they may be empty or name versions that are gone.
    await run("apt-get", [...settings, ...install]).catch(async () => {
      const lists = await freshLists();
      await run("apt-get", [...settings, "-o", `Dir::State::lists=${lists}`, ...install]);
    });
    return archives;
  } catch (error) {
    await rm(cache, { recursive: true, force: true });
    throw error;
  }
}

let lists: Promise<string> | undefined;

/** Package lists of this process's own: an ordinary user can't update the system's. Shared by all downloads. */
function freshLists(): Promise<string> {
  lists ??= updateLists();
  return lists;
}

async function updateLists(): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), "lockstep-apt-lists-"));
  process.once("exit", () => rmSync(state, { recursive: true, force: true }));
  const folder = join(state, "lists");
  await mkdir(join(folder, "partial"), { recursive: true });
  const languages = [
    "-o",
    "Acquire::Languages=none",
    "-o",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
  ];
  await run("apt-get", [
    ...aptSettings({ "Dir::State::lists": folder, "Dir::Cache": state }),
    ...languages,
    "update",
  ]);
  return folder;
}

function aptSettings(settings: Readonly<Record<string, string>>): readonly string[] {
  const all = {
    ...settings,
    // All folders are our own, so there is nothing to lock, and "_apt" could not enter them.
    "Debug::NoLocking": "1",
    "APT::Sandbox::User": "",
    "APT::Update::Post-Invoke::": "",
  };
  return Object.entries(all).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
