/** What people meet when they begin, by the codes of Node and of the drivers. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at that host and port",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name can't be looked up now",
  ETIMEDOUT: "the host doesn't answer",
  "28P01": "wrong user or password",
  "28000": "the server lets this user in from elsewhere only, or not at all",
  "3D000": "there is no such database",
  "53300": "the server has no connection left",
  ER_ACCESS_DENIED_ERROR: "wrong user or password",
  ER_DBACCESS_DENIED_ERROR: "the user has no right to this database",
  ER_BAD_DB_ERROR: "there is no such database",
  ER_CON_COUNT_ERROR: "the server has no connection left",
};

/** The innermost code behind an error, and what it usually means; never a driver's own words, which may quote values. Pure. */
export function reasonOf(error: unknown): string | undefined {
  let code: string | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const isOwn = cause !== error && "code" in cause && typeof cause.code === "string";
    if (isOwn) code = String((cause as { readonly code?: unknown }).code);
  }
  if (code === undefined) return undefined;
  return code in reasons ? `${reasons[code]} (${code})` : code;
}
