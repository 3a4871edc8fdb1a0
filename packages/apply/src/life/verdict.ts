import { type Fault, isLockstepError, type LockstepError, reasonOf } from "@lockstep/core";

/**
 * What an error means for a lane.
 * - `reopen`: the session is of no use any more; the lane is taken again after a pause
 * - `again`: the same session tries again after a pause
 * - `halt`: a person has to do something; looked at again every half minute
 */
export interface Verdict {
  readonly action: "reopen" | "again" | "halt";
  readonly code: string;
  /** What happened, with the driver's code behind it; never a driver's words. */
  readonly message: string;
}

/** Judges an error that ended a lane's work. `classify` is the target's. */
export function verdictOf(error: unknown, classify: (error: unknown) => Fault): Verdict {
  if (isLockstepError(error)) return known(error);
  const { kind, code, about } = classify(error);
  const named = about === undefined ? "" : ` (${about})`;
  const what =
    kind === "systemic" ? `the target failed${named}` : `the target refused a step as a whole${named}`;
  return { action: kind === "systemic" ? "reopen" : "again", code, message: because(what, error) };
}

// Without the driver's code a wrong password looks like an overloaded server.
function because(what: string, error: unknown): string {
  const reason = reasonOf(error);
  return reason === undefined ? what : `${what}: ${reason}`;
}

function known(error: LockstepError): Verdict {
  const { code } = error;
  const message = because(error.what, error);
  if (code === "TARGET_FENCED" || code === "TARGET_UNAVAILABLE") return { action: "reopen", code, message };
  // The table says "halt" for people who read it; the lane goes on by itself once the target is mended.
  if (code === "TARGET_MANY_REFUSED") return { action: "again", code, message };
  return { action: error.recovery === "halt" ? "halt" : "again", code, message };
}
