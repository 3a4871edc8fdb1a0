import { assertNever } from "../assert-never.js";
import type { TableSchema } from "../table-schema.js";
import { completeImage } from "./complete-image.js";
import type { ConflictPolicy, DeleteRule } from "./conflict-policy.js";
import { ownFunction } from "./own-function.js";
import { lastWrite } from "./last-write.js";
import { mergedColumns } from "./merged-columns.js";
import { type Resolve, type Sides, sideOf } from "./resolution.js";

/** A policy for the rows of one schema. Pure. */
export interface TablePolicy {
  /** As records and metrics call it. */
  readonly name: string;
  /** @throws LockstepError CONFLICT_POLICY_FAILED when the user's code throws, or gives what can't be the row. */
  readonly resolve: Resolve;
}

/** The policy for a table's rows, or everything in it that doesn't fit the table. */
export function tablePolicy(schema: TableSchema, policy: ConflictPolicy): TablePolicy | readonly string[] {
  const made = resolving(schema, policy);
  if (typeof made !== "function") return made;
  return {
    name: typeof policy === "function" ? "function" : policy.policy,
    resolve: (sides) => made(completed(sides)),
  };
}

// What one side doesn't tell (a partial image, a column that the target makes itself) the others know.
function completed({ source, target, base }: Sides): Sides {
  return {
    ...(source === undefined ? {} : { source: completeImage(completeImage(source, target), base) }),
    ...(target === undefined ? {} : { target: completeImage(target, source) }),
    ...(base === undefined ? {} : { base: completeImage(completeImage(base, target), source) }),
  };
}

function resolving(schema: TableSchema, policy: ConflictPolicy): Resolve | readonly string[] {
  if (typeof policy === "function") return ownFunction(schema, policy);
  switch (policy.policy) {
    case "primaryWins":
      return (sides) => sideOf(sides, "source");
    case "lastWriteWins":
      return withDeletes(policy, lastWrite(schema, policy.column));
    case "merge":
      return withDeletes(policy, mergedColumns(schema, policy.columns));
    default:
      return assertNever(policy);
  }
}

/** Where one side has no row there is nothing to compare. */
function withDeletes(
  { deletes }: DeleteRule,
  resolve: Resolve | readonly string[],
): Resolve | readonly string[] {
  if (typeof resolve !== "function") return resolve;
  return (sides) => {
    if (sides.source !== undefined && sides.target !== undefined) return resolve(sides);
    return sideOf(sides, deletes ?? "source");
  };
}
