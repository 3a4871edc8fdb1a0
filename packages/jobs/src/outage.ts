import { isLockstepError } from "@lockstep/core";
import type { OpenSync } from "./open-sync.js";

/** Something that passes: nobody's data is wrong. */
export function isOutage({ targets }: Pick<OpenSync, "targets">, error: unknown): boolean {
  if (isLockstepError(error)) return error.recovery === "retry";
  return targets.some(({ target }) => target.classify(error).kind === "systemic");
}
