import { type CaptureFinding, isLockstepError, kindAndPlace, type Position, reasonOf } from "@lockstep/core";
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
      /** What the capture lacks at the source, so that changes are not captured whole; absent when nothing is lacking. */
      readonly lacking?: readonly CaptureFinding[];
    }
  /** An error that passes, or that a person must end: it is tried again either way. */
  | { readonly phase: "backing-off"; readonly code: string; readonly message: string }
  | { readonly phase: "closed" };

/** The status of a relay that leads. */
export function statusOf({ published, total, isCaughtUp, waiting, lacking }: Term): RelayStatus {
  return {
    phase: "leading",
    published,
    total,
    isCaughtUp,
    ...(waiting !== undefined && { waiting }),
    ...(lacking.length > 0 && { lacking }),
  };
}

/** The status after an error. */
export function failureOf(error: unknown): RelayStatus {
  // The text of an error that isn't Lockstep's own may hold row values.
  if (!isLockstepError(error))
    return { phase: "backing-off", code: "unknown", message: `an unexpected error: ${kindAndPlace(error)}` };
  const reason = reasonOf(error);
  const message = reason === undefined ? error.message : `${error.message} (because: ${reason})`;
  return { phase: "backing-off", code: error.code, message };
}
