import { LockstepError } from "@lockstep/core";

/** Another server's log, or one that was begun anew: its places would come before what targets have applied. */
export function logTooYoung(): LockstepError {
  return new LockstepError(
    "CONFIG_INVALID",
    "the database's log ends before the positions that targets know: remove the targets, change the capture, and seed them again",
  );
}
