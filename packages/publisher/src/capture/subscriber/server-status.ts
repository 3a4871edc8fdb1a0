/** Bit of MySQL's status flags: a transaction is open. */
const inTransaction = 1;

/**
 * Whether the session is in a transaction, as a MySQL server says with every answer that isn't rows; `undefined` when the answer is rows.
 * `result` is what TypeORM gives for a statement, structured or raw. After a procedure's rows the last answer says it.
 */
export function transactionIsOpen(result: unknown): boolean | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  if (isHeader(last)) return (last.serverStatus & inTransaction) !== 0;
  return !Array.isArray(result) && "raw" in result ? transactionIsOpen(result.raw) : undefined;
}

function isHeader(answer: unknown): answer is { readonly serverStatus: number } {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "affectedRows" in answer &&
    "insertId" in answer &&
    "serverStatus" in answer &&
    typeof answer.serverStatus === "number"
  );
}
