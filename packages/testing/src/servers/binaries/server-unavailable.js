/** @import { ServerKind } from "./server-binary.js" */

/** @type {Record<ServerKind, { readonly brew: string; readonly compose: string; readonly env: string }>} */
const ways = {
  postgres: { brew: "postgresql@17", compose: "postgres", env: "LOCKSTEP_TEST_POSTGRES_URL" },
  mariadb: { brew: "mariadb", compose: "mysql", env: "LOCKSTEP_TEST_MYSQL_URL" },
  redis: { brew: "redis", compose: "redis", env: "LOCKSTEP_TEST_REDIS_URL" },
};

/** Thrown when no binary of a server can be found or fetched. The message says what was tried and what to do. */
export class ServerUnavailableError extends Error {
  /** @override @readonly */
  name = "ServerUnavailableError";
  /** @readonly */
  code = "SERVER_UNAVAILABLE";

  /**
   * @param {ServerKind} kind
   * @param {readonly string[]} tried Each source with its reason.
   * @param {unknown} [cause]
   */
  constructor(kind, tried, cause) {
    const { brew, compose, env } = ways[kind];
    const hint =
      `Install it ("brew install ${brew}", or your system's package), or run "docker compose up -d ${compose}" ` +
      `and set ${env} to its URL (enough for tests that need only a database, not for those that stop the server).`;
    super(
      `no ${kind} server was found [SERVER_UNAVAILABLE]\n  tried: ${tried.join("\n         ")}\n  ${hint}`,
      {
        cause,
      },
    );
    /** @readonly */
    this.kind = kind;
    /** What the user can do about it. @readonly */
    this.hint = hint;
  }
}
