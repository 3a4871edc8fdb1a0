import type { Conflicts, TablePolicy, TableSchema, TwoWayLane, TwoWayPolicy } from "@lockstep/core";

/** How the guard judges the rows of a table. */
export type TableRule =
  /** The source alone is followed; where the target's rows were changed by somebody else, a policy decides. */
  { readonly kind: "one-way"; readonly policy: TablePolicy } | TwoWayRule;

/** Both nodes write the table's rows; versions tell what a node has seen, and the hub's policy decides the rest. */
export interface TwoWayRule {
  readonly kind: "two-way";
  /** Which node this lane writes to. */
  readonly writesTo: "hub" | "leaf";
  readonly source: string;
  readonly target: string;
  readonly policy: TwoWayPolicy;
}

/** What a lane is told about the tables that it writes. */
export interface TableRules {
  /** False for tables whose rows are not for the target. */
  takes(schema: TableSchema): boolean;
  /** How a table's rows are judged; `undefined` for one that is only mirrored. */
  ruleOf(schema: TableSchema): TableRule | undefined;
  /** Everything in the table's policy that doesn't fit it, each as one line. */
  problems(schema: TableSchema): readonly string[];
}

/** The rules of a target that is a mirror. `undefined` where it has no policies: its tables can do without guard. */
export function oneWayRules(conflicts: Conflicts | undefined): TableRules | undefined {
  return (
    conflicts && {
      takes: () => true,
      problems: (schema) => conflicts.problems(schema),
      ruleOf(schema) {
        const policy = conflicts.policyOf(schema);
        return policy && { kind: "one-way", policy };
      },
    }
  );
}

/** The rules of a lane between two nodes. What else either has stays there: sent to and fro without versions it would never come to rest. */
export function twoWayRules({ writesTo, tables }: TwoWayLane, source: string, target: string): TableRules {
  return {
    takes: (schema) => tables.policyOf(schema) !== undefined || tables.problems(schema).length > 0,
    problems: (schema) => tables.problems(schema),
    ruleOf(schema) {
      const policy = tables.policyOf(schema);
      return policy && { kind: "two-way", writesTo, source, target, policy };
    },
  };
}
