import { createHash } from "node:crypto";

/** Names of what the capture makes at the source. A slot's name is the whole server's, so it tells databases and outboxes apart. */
export interface CaptureNames {
  readonly slot: string;
  /** The captured tables. */
  readonly tables: string;
  /** Lockstep's own: the outbox, and the checkpoint where the database is a target too. */
  readonly own: string;
}

/** Names for the outbox in `schema` of `database`. Pure. */
export function captureNames(database: string, schema: string): CaptureNames {
  const readable = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, "_")
    .slice(0, 30);
  const hash = createHash("sha256").update(`${database} ${schema}`).digest("hex").slice(0, 8);
  return {
    slot: `lockstep_${readable}_${hash}`,
    tables: `lockstep_${hash}_tables`,
    own: `lockstep_${hash}_own`,
  };
}
