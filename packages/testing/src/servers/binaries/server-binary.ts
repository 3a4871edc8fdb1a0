// This folder is plain JavaScript with its types in comments (checked like the rest): the root scripts use it to fetch
// servers while dependencies are still being installed, before anything can be built. It imports Node's own modules only.

/** The servers that can be started without Docker. */
export type ServerKind = "postgres" | "mariadb" | "redis";

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
