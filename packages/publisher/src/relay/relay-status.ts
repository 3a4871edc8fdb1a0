import { isLockstepError, type Position } from "@lockstep/core";
import type { Term } from "./relay-context.js";

/** What a relay does now. */
export type RelayStatus =
  | { readonly phase: "standby" }
  | {
      readonly phase: "leading";
      readonly published: Position;
      readonly total: number;
      readonly isCaughtUp: boolean;
      readonly waiting?: string;
    }
  /** An error that passes, or that a person must end: it is tried again either way. */
  | { readonly phase: "backing-off"; readonly code: string; readonly message: string }
  | { readonly phase: "closed" };

/** The status of a relay that leads. */
export function statusOf({ published, total, isCaughtUp, waiting }: Term): RelayStatus {
  const leading = { phase: "leading", published, total, isCaughtUp } as const;
  return waiting === undefined ? leading : { ...leading, waiting };
}

/** The status after an error. */
export function failureOf(error: unknown): RelayStatus {
  // The text of an error that isn't Lockstep's own may hold row values.
  const [code, message] = isLockstepError(error)
    ? [error.code, error.message]
    : ["unknown", "an unexpected error"];
  return { phase: "backing-off", code, message };
}
