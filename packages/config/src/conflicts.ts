import { isConflictPolicy, type TargetConflicts } from "@lockstep/core";
import { z } from "zod";

/** What decides a conflict. */
export const policySchema = z.custom<TargetConflicts[string]>(
  isConflictPolicy,
  "must be made by lastWriteWins(), primaryWins() or merge(), or be a function",
);

/** A target's `conflicts`, by table. Whether columns fit is only known where the table is. */
export const conflictsSchema = z.record(z.string().min(1), policySchema);
