import { backoffMs, type RetryPolicy } from "@lockstep/core";

/** Time and chance. */
export interface Chance {
  readonly now: () => number;
  readonly random: () => number;
}

/** What becomes of a row that failed `attempts` times: tried again at `dueAt`, or dead. */
export type NextAttempt = { readonly state: "retrying"; readonly dueAt: number } | { readonly state: "dead" };

/** Decides it. `maxAttempts` may be the letter's own, from an earlier configuration. */
export function nextAttempt(
  attempts: number,
  maxAttempts: number,
  policy: RetryPolicy,
  { now, random }: Chance,
): NextAttempt {
  if (attempts >= maxAttempts) return { state: "dead" };
  return { state: "retrying", dueAt: now() + backoffMs(attempts, policy, random) };
}
