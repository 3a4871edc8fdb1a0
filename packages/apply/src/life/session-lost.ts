import { LockstepError } from "@lockstep/core";

/** The error of a session whose connection ended by itself. */
export function sessionLost(): LockstepError {
  return new LockstepError("TARGET_UNAVAILABLE", "the lane's connection to the target ended");
}
