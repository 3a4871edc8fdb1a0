import { readdir } from "node:fs/promises";
import { arch, platform } from "node:os";
import { delimiter, join } from "node:path";
import { withPackages } from "./apt-download.js";
import { cached, exists } from "./cache-folder.js";
import { run } from "./run.js";

/** @import { ServerBinary, ServerKind } from "./server-binary.js" */

/**
 * `programs` are below the unpacked root; the first that exists is the server.
 *
 * @type {Record<ServerKind, { readonly name: string; readonly programs: readonly string[] }>}
 */
const packages = {
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
 *
 * @param {ServerKind} kind
 * @returns {Promise<ServerBinary | undefined>}
 */
export async function fromApt(kind) {
  if (platform() !== "linux" || !(await exists("/usr/bin/apt-get"))) return undefined;
  const { name, programs } = packages[kind];
  const root = await cached(`${kind}-apt-${arch()}`, (folder) => unpack(name, folder));
  for (const program of programs) {
    if (await exists(join(root, program))) return describe(root, join(root, program));
  }
  throw new Error(`${name} holds none of ${programs.join(", ")}`);
}

/**
 * @param {string} root
 * @param {string} program
 * @returns {Promise<ServerBinary>}
 */
async function describe(root, program) {
  const bin = join(program, "..");
  const folders = [join(root, "usr/lib"), join(root, "lib")];
  for (const folder of folders.slice()) {
    const triplets = await readdir(folder).catch(() => /** @type {string[]} */ ([]));
    folders.push(
      ...triplets.filter((entry) => entry.includes("-linux-")).map((entry) => join(folder, entry)),
    );
  }
  return { bin, program, base: join(root, "usr"), libraries: folders.join(delimiter) };
}

/**
 * @param {string} name
 * @param {string} folder
 * @returns {Promise<void>}
 */
async function unpack(name, folder) {
  await withPackages(name, async (debs) => {
    for (const deb of debs) await run("dpkg-deb", ["-x", deb, folder]);
  });
}
