import { createHash } from "node:crypto";

/** A name for GET_LOCK: at most 64 characters, the same in every process; locks belong to the whole server, so the database is part of it. */
export function lockName(purpose: string, ...parts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
  return `lockstep_${purpose}_${hash}`;
}
