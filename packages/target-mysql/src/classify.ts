import { isLockstepError, type ErrorCode, type Fault } from "@lockstep/core";
import { nameIn } from "./error-names.js";

/** Errors of one row, by number. */
const rowCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [1048, "TARGET_NOT_NULL"],
  [1364, "TARGET_NOT_NULL"],
  [1062, "TARGET_UNIQUE"],
  [1169, "TARGET_UNIQUE"],
  [1586, "TARGET_UNIQUE"],
  [1216, "TARGET_FOREIGN_KEY"],
  [1217, "TARGET_FOREIGN_KEY"],
  [1451, "TARGET_FOREIGN_KEY"],
  [1452, "TARGET_FOREIGN_KEY"],
  [1761, "TARGET_FOREIGN_KEY"],
  [1762, "TARGET_FOREIGN_KEY"],
  [3819, "TARGET_CHECK"], // MySQL
  [4025, "TARGET_CHECK"], // MariaDB
  [1369, "TARGET_CHECK"], // CHECK OPTION of a view
  [1526, "TARGET_CHECK"], // no partition for the value
  [1748, "TARGET_CHECK"],
  [1118, "TARGET_VALUE"], // row too long
  [1153, "TARGET_VALUE"], // packet too long
  [1264, "TARGET_VALUE"],
  [1265, "TARGET_VALUE"],
  [1292, "TARGET_VALUE"],
  [1300, "TARGET_VALUE"],
  [1366, "TARGET_VALUE"],
  [1406, "TARGET_VALUE"],
  [1411, "TARGET_VALUE"],
  [1416, "TARGET_VALUE"], // geometry
  [1690, "TARGET_VALUE"],
  [3140, "TARGET_VALUE"], // MySQL: invalid JSON
  [3156, "TARGET_VALUE"],
  [3903, "TARGET_VALUE"],
  [1442, "TARGET_REFUSED"], // a trigger writes the table it belongs to
  [1644, "TARGET_REFUSED"], // SIGNAL
  [3105, "TARGET_REFUSED"], // a generated column was given a value
  [1906, "TARGET_REFUSED"],
]);

/** Errors of the whole target that a person must look at. */
const shapeCodes: ReadonlyMap<number, ErrorCode> = new Map([
  [1146, "TARGET_TABLE_MISSING"],
  [1054, "TARGET_COLUMN_MISSING"],
]);

/** Row errors by SQLSTATE class, for numbers not listed: data, integrity, user-defined. */
const rowClasses: ReadonlyMap<string, ErrorCode> = new Map([
  ["22", "TARGET_VALUE"],
  ["23", "TARGET_REFUSED"],
  ["44", "TARGET_CHECK"],
  ["45", "TARGET_REFUSED"],
]);

/**
 * What an error of this target means. Whatever isn't known to be about a row is about the target (connection, time-out 3024 and 1969,
 * deadlock 1213, lock wait 1205, too many connections 1040, read-only 1290 and 1836, disk 1021 and 1114, rights 1045 and 1142, …): a lane that
 * waits in vain is seen, a row that was set aside in an outage is a false letter.
 */
export function classify(error: unknown): Fault {
  if (isLockstepError(error)) {
    const about = error.details["about"];
    const kind = error.recovery === "dead-letter" ? "row" : "systemic";
    return { kind, code: error.code, ...(typeof about === "string" ? { about } : {}) };
  }
  if (!isServerError(error)) return { kind: "systemic", code: "TARGET_UNAVAILABLE" };
  const name = nameIn(error.sqlMessage ?? error.message);
  const about = name === undefined ? {} : { about: name };
  const row = rowCodes.get(error.errno) ?? rowClasses.get((error.sqlState ?? "").slice(0, 2));
  if (row !== undefined) return { kind: "row", code: row, ...about };
  const shape = shapeCodes.get(error.errno);
  return { kind: "systemic", code: shape ?? "TARGET_UNAVAILABLE", ...(shape === undefined ? {} : about) };
}

interface ServerError extends Error {
  readonly errno: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
}

// Errors of Node (ECONNREFUSED) have a negative errno and no sqlState.
function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" && error.errno > 0;
}
