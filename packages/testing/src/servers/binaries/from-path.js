import { access, constants, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "./run.js";

/** @import { ServerBinary, ServerKind } from "./server-binary.js" */

/** @type {Record<ServerKind, readonly string[]>} */
const programs = {
  postgres: ["postgres"],
  mariadb: ["mariadbd", "mysqld"],
  redis: ["redis-server"],
};

const usualFolders = [
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/bin",
  "/usr/sbin",
  "/opt/homebrew/bin",
  "/usr/local/opt/mariadb/bin",
  "/opt/homebrew/opt/mariadb/bin",
];

/**
 * Looks for the server on PATH, then in the folders where packages put servers.
 *
 * @param {ServerKind} kind
 * @returns {Promise<ServerBinary | undefined>}
 */
export async function fromPath(kind) {
  for (const program of programs[kind]) {
    for (const folder of await searchFolders(kind)) {
      const binary = await installation(kind, join(folder, program));
      if (binary !== undefined) return binary;
    }
  }
  return undefined;
}

/**
 * @param {ServerKind} kind
 * @returns {Promise<readonly string[]>}
 */
async function searchFolders(kind) {
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
  const debian = kind === "postgres" ? await versionedFolders("/usr/lib/postgresql", "") : [];
  const brew = kind === "postgres" ? await versionedFolders("/opt/homebrew/opt", "postgresql@") : [];
  return [...path, ...usualFolders, ...debian, ...brew];
}

/**
 * The newest version first.
 *
 * @param {string} parent
 * @param {string} prefix
 * @returns {Promise<readonly string[]>}
 */
async function versionedFolders(parent, prefix) {
  const entries = await readdir(parent).catch(() => /** @type {string[]} */ ([]));
  /** @param {string} entry */
  const version = (entry) => Number.parseInt(entry.slice(prefix.length), 10);
  return entries
    .filter((entry) => entry.startsWith(prefix) && version(entry) > 0)
    .sort((a, b) => version(b) - version(a))
    .map((entry) => join(parent, entry, "bin"));
}

/**
 * @param {ServerKind} kind
 * @param {string} program
 * @returns {Promise<ServerBinary | undefined>}
 */
async function installation(kind, program) {
  try {
    await access(program, constants.X_OK);
    // PATH often holds links; what belongs to the server (initdb, share) is beside the real program.
    const real = await realpath(program);
    // A wrapper script's real place has no siblings: keep to the folder it was found in.
    const bin =
      kind === "postgres" && !(await executable(join(dirname(real), "initdb")))
        ? dirname(program)
        : dirname(real);
    if (kind === "postgres" && !(await executable(join(bin, "initdb")))) return undefined;
    if (kind === "mariadb" && !(await isMariaDb(real))) return undefined;
    return { bin, program: kind === "postgres" ? join(bin, "postgres") : real, base: dirname(dirname(real)) };
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @returns {Promise<boolean>}
 */
function executable(file) {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * MySQL's server has the same file name but is set up and speaks differently.
 *
 * @param {string} program
 * @returns {Promise<boolean>}
 */
async function isMariaDb(program) {
  return (await run(program, ["--no-defaults", "--version"])).includes("MariaDB");
}
