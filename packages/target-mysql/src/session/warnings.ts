import { LockstepError } from "@lockstep/core";
import { columnIn } from "../error-names.js";

/** A row of SHOW WARNINGS. */
interface Warning {
  readonly [name: string]: string | null;
}

/** Codes that say "something else was stored than what you gave". Deprecations, unsafe statements and the like are not among them. */
const changedValueCodes = new Set(
  [
    1048, // a NULL became the column's default
    1263, // the same, in a multi-row INSERT
    1264, // out of range, clipped
    1265, // truncated: a DECIMAL's scale, a DATE's time (only a note, also in strict mode)
    1292, // incorrect or truncated value
    1300, // invalid character string
    1364, // no default for a column that was left out
    1366, // incorrect value or character
    1406, // too long
    1411, // incorrect value for a function
    1690, // out of range in an expression
    1918, // MariaDB: bad data in a conversion
  ].map(String),
);

/** The error for the first warning that tells of a changed value; `undefined` when there is none. */
export function changedValue(warnings: readonly Warning[]): LockstepError | undefined {
  const found = warnings.find((warning) => changedValueCodes.has(warning["Code"] ?? ""));
  if (found === undefined) return undefined;
  const about = columnIn(found["Message"] ?? "");
  return new LockstepError("TARGET_VALUE", "the target would store another value than the one given", {
    details: { warning: Number(found["Code"]), ...(about === undefined ? {} : { about }) },
  });
}
