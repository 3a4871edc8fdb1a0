import type { CaptureRules } from "./capture-rules.js";

const deadlock = 1213;
const lockWaitTimeout = 1205;
/** ER_CHECKREAD: MariaDB's snapshot isolation found a newer row version. */
const recordChanged = 1020;

/**
 * True when the server has rolled the whole transaction back with this error, so that what follows runs outside any
 * transaction whatever the application believes. PostgreSQL never does: it waits for ROLLBACK.
 */
export function endedByServer(
  rules: Pick<CaptureRules, "engine" | "rollsBackOnTimeout">,
  error: unknown,
): boolean {
  if (rules.engine === "postgres") return false;
  const number = errorNumber(error);
  return (
    number === deadlock ||
    number === recordChanged ||
    (number === lockWaitTimeout && rules.rollsBackOnTimeout)
  );
}

/** SQLSTATEs and MySQL numbers after which applications run a transaction again. */
const retryable = new Set<unknown>(["40001", "40P01", "55P03", deadlock, lockWaitTimeout, recordChanged]);

/** The driver's error behind an error, when it is one after which applications run the transaction again: deadlock, serialization, lock time-out. */
export function retryableCause(error: unknown): unknown {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (retryable.has(errorNumber(at)) || retryable.has(sqlState(at))) return at;
  }
  return undefined;
}

function errorNumber(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("errno" in error && typeof error.errno === "number") return error.errno;
  return "driverError" in error ? errorNumber(error.driverError) : undefined;
}

function sqlState(error: object): string | undefined {
  if ("code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

/** True when the database itself refused the statement: then nothing of it happened. */
export function refusedByDatabase(error: unknown): boolean {
  return error instanceof Error && /^QueryFailedError|^QueryRunnerAlreadyReleasedError/.test(error.name);
}
