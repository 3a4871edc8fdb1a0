import type { ColumnRule, ConflictPolicy, TargetConflicts } from "@lockstep/core";
import { z } from "zod";

const text = z.string().min(1);
const code = z.custom<Extract<ColumnRule, Function>>(isFunction, "must be a function");
const deletes = z.enum(["source", "target"]).exactOptional();
const rule = z.union(
  [
    z.enum(["source", "target", "max", "min", "union", "nonNull", "nonNullTarget"]),
    z.strictObject({ newest: text }),
    code,
  ],
  {
    error:
      "must be source, target, max, min, union, nonNull, nonNullTarget, newest({ column }) or a function",
  },
);

const made = z.discriminatedUnion(
  "policy",
  [
    z.strictObject({ policy: z.literal("primaryWins") }),
    z.strictObject({ policy: z.literal("lastWriteWins"), column: text.exactOptional(), deletes }),
    z.strictObject({ policy: z.literal("merge"), columns: z.record(text, rule), deletes }),
  ],
  { error: "must be made by lastWriteWins(), primaryWins() or merge(), or be a function" },
);

/** A conflict policy; what it names is only known where the table is. */
export const policySchema = z.custom<ConflictPolicy>().superRefine((policy, context) => {
  if (isFunction(policy)) return;
  for (const { message, path } of made.safeParse(policy).error?.issues ?? []) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
});

/** A target's `conflicts`, by table. */
export const conflictsSchema = z
  .record(text, policySchema)
  .superRefine((policies: TargetConflicts, context) => {
    for (const [table, policy] of Object.entries(policies)) {
      if (typeof policy !== "object" || policy?.policy !== "lastWriteWins" || policy.column !== undefined)
        continue;
      context.addIssue({
        code: "custom",
        path: [table],
        message: "lastWriteWins needs a column here: only two-way sync keeps versions of rows",
      });
    }
  });

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
