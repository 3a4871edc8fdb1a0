import { isLockstepError, kindAndPlace, LockstepError } from "@lockstep/core";
import type { OpenSync } from "./open-sync.js";

/** Something that passes: nobody's data is wrong. */
export function isOutage({ targets }: Pick<OpenSync, "targets">, error: unknown): boolean {
  if (isLockstepError(error)) return error.recovery === "retry";
  return !isMistake(error) && targets.some(({ target }) => target.classify(error).kind === "systemic");
}

/** The error as a job's record and a person get it: one that isn't Lockstep's says what it is and where, but nothing of what it quotes. Pure. */
export function explained(error: unknown): LockstepError {
  if (isLockstepError(error)) return error;
  return new LockstepError("JOB_UNEXPECTED", kindAndPlace(error), { cause: error });
}

/** A mistake in the code, or a record that it can't read: it stands there again at every try, however long one waits. Pure. */
export function isMistake(error: unknown): boolean {
  return mistakes.some((mistake) => error instanceof mistake);
}

const mistakes = [TypeError, ReferenceError, RangeError, SyntaxError, EvalError, URIError];
