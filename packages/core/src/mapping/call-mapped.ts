import { isLockstepError } from "../errors.js";
import { runUsersCode } from "./users-code.js";

/**
 * Runs a mapping's own code. `what` names it (`where`, `columns.total`).
 * @throws LockstepError TRANSFORM_FAILED naming the code's place; MAPPING_NEEDS_WHOLE_IMAGE when it asked for what the change doesn't carry.
 */
export function callMapped<T>(table: string, what: string, code: () => T): T {
  try {
    return runUsersCode("TRANSFORM_FAILED", `the mapping of ${table} failed`, what, code);
  } catch (error) {
    if (error instanceof Error && isLockstepError(error.cause, "MAPPING_NEEDS_WHOLE_IMAGE"))
      throw error.cause;
    throw error;
  }
}
