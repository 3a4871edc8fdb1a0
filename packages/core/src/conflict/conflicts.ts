import { tableId, type TableSchema } from "../table-schema.js";
import type { TargetConflicts } from "./conflict-policy.js";
import { type TablePolicy, tablePolicy } from "./table-policy.js";

/** A target's conflict policies, as lanes obey them. */
export interface Conflicts {
  /** The policy of a table of the target; `undefined` when it has none, or one that doesn't fit. */
  policyOf(schema: TableSchema): TablePolicy | undefined;
  /** Everything in the policy that doesn't fit this schema, each as one line; empty when all does. */
  problems(schema: TableSchema): readonly string[];
}

/** Makes it of the configuration. */
export function conflictsOf(policies: TargetConflicts): Conflicts {
  const known = new Map<string, TablePolicy | readonly string[] | undefined>();

  function compiled(schema: TableSchema): TablePolicy | readonly string[] | undefined {
    if (!known.has(schema.fingerprint)) known.set(schema.fingerprint, compile(policies, schema));
    return known.get(schema.fingerprint);
  }

  return {
    policyOf(schema) {
      const made = compiled(schema);
      return isPolicy(made) ? made : undefined;
    },
    problems(schema) {
      const made = compiled(schema);
      return made === undefined || isPolicy(made) ? [] : made;
    },
  };
}

function compile(
  policies: TargetConflicts,
  schema: TableSchema,
): TablePolicy | readonly string[] | undefined {
  const name = [tableId(schema), schema.name, "*"].find((one) => Object.hasOwn(policies, one));
  if (name === undefined) return undefined;
  const made = tablePolicy(schema, policies[name]!);
  return isPolicy(made) ? made : made.map((problem) => `conflicts["${name}"]: ${problem}`);
}

function isPolicy(made: TablePolicy | readonly string[] | undefined): made is TablePolicy {
  return made !== undefined && "resolve" in made;
}
