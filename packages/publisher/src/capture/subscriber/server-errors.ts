const deadlock = 1213;
const lockWaitTimeout = 1205;
/** ER_CHECKREAD: MariaDB's snapshot isolation found a newer row version. */
const recordChanged = 1020;

/** MySQL: true for errors with which the server rolls back, the statement or (always, or as it is configured) its whole transaction. */
export function rollsBack(error: unknown): boolean {
  const number = errorNumber(error);
  return number === deadlock || number === recordChanged || number === lockWaitTimeout;
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

/** The SQLSTATE behind an error of TypeORM or of the driver. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  return "driverError" in error ? sqlStateOf(error.driverError) : sqlState(error);
}

function sqlState(error: object): string | undefined {
  if ("code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

/**
 * True when the database itself refused the statement: then nothing of it happened. TypeORM wraps whatever is thrown on the way (a client's time-out, a
 * subscriber's error after the statement was done) in the same class: only an error with the server's own marks counts.
 */
export function refusedByDatabase(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "QueryRunnerAlreadyReleasedError") return true;
  const said: unknown = "driverError" in error ? error.driverError : error;
  if (typeof said !== "object" || said === null) return false;
  const byPostgres = "severity" in said && "code" in said;
  const byMysql = "sqlState" in said && "errno" in said && typeof said.errno === "number";
  return byPostgres || byMysql;
}
