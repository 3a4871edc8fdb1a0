/** What decides when the target's row isn't what Lockstep left there. */
export type ConflictPolicy = { readonly policy: "primaryWins" };

/** A target's policies by its tables (`namespace.name` or `name`; `"*"`: all that aren't named). */
export type TargetConflicts = Readonly<Record<string, ConflictPolicy>>;

/** The source's row is written, whatever was done to the target's. The conflict is recorded. */
export function primaryWins(): ConflictPolicy {
  return { policy: "primaryWins" };
}

/** True for what the functions here make. */
export function isConflictPolicy(value: unknown): value is ConflictPolicy {
  return typeof value === "object" && value !== null && "policy" in value && value.policy === "primaryWins";
}
