import type { RowVersion } from "@lockstep/core";

/** A version as the database keeps it, in columns; where it came from doesn't matter to who replaces it. */
export function readVersion(row: Readonly<Record<string, unknown>>): RowVersion {
  return {
    stamp: Number(row["stamp"]),
    node: String(row["node"]),
    seen: JSON.parse(String(row["seen"])) as RowVersion["seen"],
  };
}
