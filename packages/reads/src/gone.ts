/** Codes of Node, mysql2 and PostgreSQL (class 08, shutdowns) that say that nobody answers, or that a standby gave up a query for the log's sake. */
const codes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "PROTOCOL_CONNECTION_LOST",
  "POOL_NOEXIST",
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  "40001",
  // It is there, but takes no connections, or ends them.
  "53300",
  "ER_CON_COUNT_ERROR",
  "ER_SERVER_SHUTDOWN",
  "ER_CONNECTION_KILLED",
  "EAI_AGAIN",
  "ECONNABORTED",
]);
const messages =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Can't add new command when connection is in closed state)/;

/** Whether an error says that the server is away, rather than that a statement is wrong. Pure. */
export function isGone(error: unknown): boolean {
  for (let at = error, depth = 0; typeof at === "object" && at !== null && depth < 5; depth++) {
    const { code, message, cause, driverError } = at as {
      code?: unknown;
      message?: unknown;
      cause?: unknown;
      driverError?: unknown;
    };
    if (typeof code === "string" && (codes.has(code) || code.startsWith("08"))) return true;
    if (typeof message === "string" && messages.test(message)) return true;
    at = driverError ?? cause;
  }
  return false;
}
