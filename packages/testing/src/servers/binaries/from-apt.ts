import { readdir } from "node:fs/promises";
import { arch, platform } from "node:os";
import { delimiter, join } from "node:path";
import type { ServerKind } from "../running-server.js";
import { withPackages } from "./apt-download.js";
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
  await withPackages(name, async (debs) => {
    for (const deb of debs) await run("dpkg-deb", ["-x", deb, folder]);
  });
}
