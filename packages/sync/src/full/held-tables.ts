import type { TableSchema } from "@lockstep/core";
import type { SyncedTarget } from "./run-full-sync.js";

type Key = readonly string[];

/** A target's table that may hold rows that the source doesn't have, and how its keys lead back to the source's. */
interface HeldTable {
  readonly schema: TableSchema;
  /** None for a row that isn't of this table of the source, and where it can't be told (a hashed key). */
  readonly sourceKey: (key: Key) => readonly Key[];
}

/** The tables of a target that hold the rows of a table of the source. */
export function heldTables(
  schema: TableSchema,
  { routes }: Pick<SyncedTarget, "routes">,
): readonly HeldTable[] {
  const mapped = routes(schema);
  if (mapped === undefined) return [{ schema, sourceKey: (key) => [key] }];
  return mapped.map((route) => ({
    schema: route.schema,
    sourceKey: (key) => {
      const found = route.sourceKey(JSON.stringify(key));
      return found === undefined ? [] : [JSON.parse(found) as Key];
    },
  }));
}
