import { LockstepError } from "@lockstep/core";

/** MySQL's own JSON type: its text, as the server prints it. */
export function jsonText(_bytes: Buffer): string {
  throw new LockstepError("COLUMN_TYPE_UNSUPPORTED", "MySQL's binary JSON");
}
