import { type Fault, isLockstepError, type LockstepError } from "@lockstep/core";

/**
 * What an error means for a lane.
 * - `reopen`: the session is of no use any more; the lane is taken again after a pause
 * - `again`: the same session tries again after a pause
 * - `halt`: a person has to do something; looked at again every half minute
 */
export interface Verdict {
  readonly action: "reopen" | "again" | "halt";
  readonly code: string;
  readonly message: string;
}

/** Judges an error that ended a lane's work. `classify` is the target's. */
export function verdictOf(error: unknown, classify: (error: unknown) => Fault): Verdict {
  if (isLockstepError(error)) return known(error);
  const { kind, code, about } = classify(error);
  const named = about === undefined ? "" : ` (${about})`;
  const message =
    kind === "systemic" ? `the target failed${named}` : `the target refused a step as a whole${named}`;
  return { action: kind === "systemic" ? "reopen" : "again", code, message };
}

function known(error: LockstepError): Verdict {
  const { code, message } = error;
  if (code === "TARGET_FENCED" || code === "TARGET_UNAVAILABLE") return { action: "reopen", code, message };
  // The table says "halt" for people who read it; the lane goes on by itself once the target is mended.
  if (code === "TARGET_MANY_REFUSED") return { action: "again", code, message };
  return { action: error.recovery === "halt" ? "halt" : "again", code, message };
}
