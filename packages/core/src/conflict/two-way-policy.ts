import { type Conflicts, conflictsOf } from "./conflicts.js";
import type { ConflictPolicy, TargetConflicts } from "./conflict-policy.js";
import type { TableSchema } from "../table-schema.js";
import { type Resolution, type Sides, sideOf } from "./resolution.js";
import type { TablePolicy } from "./table-policy.js";

/** A policy as the hub obeys it: `source` is the leaf's row, `target` the hub's. Pure. */
export interface TwoWayPolicy {
  readonly name: string;
  /** `later`: whose version has the later write. @throws LockstepError CONFLICT_POLICY_FAILED as {@link TablePolicy.resolve} does. */
  resolve(sides: Sides, later: "source" | "target"): Resolution;
}

/** The tables that nodes of two-way sync have in common, and their policies. */
export interface TwoWayTables {
  /** The policy of a table; `undefined` for one that isn't sent between nodes. */
  policyOf(schema: TableSchema): TwoWayPolicy | undefined;
  /** Everything in the policy that doesn't fit this schema, each as one line. */
  problems(schema: TableSchema): readonly string[];
}

/** A lane between two nodes. */
export interface TwoWayLane {
  /** Which node the lane writes to: the hub decides conflicts, a leaf leaves that to the hub. */
  readonly writesTo: "hub" | "leaf";
  readonly tables: TwoWayTables;
  /**
   * Makes both nodes ready to keep versions, or finds that they are; called whenever the lane begins. Without it nothing may be written: what is written without a version
   * counts as older than all else.
   */
  readonly prepare?: () => Promise<void>;
}

/** Makes it of the configuration's `tables`. */
export function twoWayTables(policies: TargetConflicts): TwoWayTables {
  const others: Conflicts = conflictsOf(policies);
  return {
    policyOf(schema) {
      const policy = policies[schema.name];
      if (policy === undefined) return undefined;
      return byNode(policy) ?? others.policyOf(schema);
    },
    problems: (schema) =>
      policies[schema.name] === undefined || byNode(policies[schema.name]!) ? [] : others.problems(schema),
  };
}

/** Policies that ask for the nodes and not for the rows. */
function byNode(policy: ConflictPolicy): TwoWayPolicy | undefined {
  if (typeof policy === "function") return undefined;
  const { policy: name } = policy;
  if (name === "primaryWins") return { name, resolve: (sides) => sideOf(sides, "target") };
  if (name !== "lastWriteWins" || policy.column !== undefined) return undefined;
  return { name, resolve: sideOf };
}

true satisfies TablePolicy extends TwoWayPolicy ? true : false;
