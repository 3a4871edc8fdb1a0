import { LockstepError } from "@lockstep/core";

/**
 * The outbox's own name, where a user has chosen one. Small letters only: what stands in statements, in catalogs and in the log is then the same
 * text, whatever the server makes of the case of names. Pure. @throws LockstepError CONFIG_INVALID.
 */
export function outboxTable(name: string, isTaken: (name: string) => boolean): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `outbox.table: ${JSON.stringify(name)} must be 1 to 63 small letters, digits and _, beginning with no digit`,
    );
  }
  if (isTaken(name)) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `outbox.table: "${name}" is the name of another of Lockstep's own tables`,
    );
  }
  return name;
}

/** What is found where the outbox should be. */
export interface FoundOutbox {
  /** Lockstep's tables have been made, under whatever name. */
  readonly isMade: boolean;
  readonly table: "none" | "ours" | "foreign";
}

/**
 * Another name than the one that the outbox was made with would begin an empty one beside it, and what waits in the old one would be lost; and a
 * table that was there before Lockstep is somebody else's. Pure. @throws LockstepError OUTBOX_NAME.
 */
export function refuseOtherOutbox(outbox: string, { isMade, table }: FoundOutbox): void {
  if (isMade && table === "none")
    throw new LockstepError("OUTBOX_NAME", `the outbox of these tables has another name than ${outbox}`);
  if (table === "foreign")
    throw new LockstepError("OUTBOX_NAME", `there is a table ${outbox} already, and it isn't Lockstep's`);
}
