/** The SQLSTATE of an error that the server sent; `undefined` for any other error. */
export function sqlState(error: unknown): string | undefined {
  // Node's own codes (EPIPE) can look like an SQLSTATE; only the server's errors have a severity.
  if (typeof error !== "object" || error === null || !("code" in error) || !("severity" in error))
    return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
