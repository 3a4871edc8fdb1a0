import { isLockstepError } from "./errors.js";

/** What people meet when they begin, and when something breaks, by the codes of Node, of the drivers and of Redis. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at that host and port",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name can't be looked up now",
  ETIMEDOUT: "the host doesn't answer",
  EADDRINUSE: "something else listens at that port",
  WRONGPASS: "wrong user or password",
  NOAUTH: "Redis wants a password",
  OOM: "Redis is full (maxmemory)",
  READONLY: "this Redis is a replica",
  "28P01": "wrong user or password",
  "28000": "the server lets this user in from elsewhere only, or not at all",
  "3D000": "there is no such database",
  "42501": "the user lacks a right",
  "53100": "the server's disk is full",
  "53300": "the server has no connection left",
  "25006": "the server is read-only",
  ER_ACCESS_DENIED_ERROR: "wrong user or password",
  ER_DBACCESS_DENIED_ERROR: "the user has no right to this database",
  ER_TABLEACCESS_DENIED_ERROR: "the user lacks a right",
  ER_SPECIFIC_ACCESS_DENIED_ERROR: "the user lacks a right",
  ER_BINLOG_CREATE_ROUTINE_NEED_SUPER:
    "with its binary log on the server lets only SUPER make triggers: SET GLOBAL log_bin_trust_function_creators = 1",
  ER_BAD_DB_ERROR: "there is no such database",
  ER_CON_COUNT_ERROR: "the server has no connection left",
  ER_RECORD_FILE_FULL: "the server's disk is full",
  ER_OPTION_PREVENTS_STATEMENT: "the server is read-only",
};

/**
 * The innermost code of Node or a driver behind an error, and what it usually means; never a driver's own words, which may quote values. `undefined` where
 * Lockstep itself found the fault. Pure.
 */
export function reasonOf(error: unknown): string | undefined {
  let code: string | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!isLockstepError(cause) && "code" in cause && typeof cause.code === "string") code = cause.code;
  }
  if (code === undefined) return undefined;
  return code in reasons ? `${reasons[code]} (${code})` : code;
}
