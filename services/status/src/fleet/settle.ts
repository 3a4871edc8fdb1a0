import { isLockstepError } from "@lockstep/core";
import type { FleetTarget } from "./fleet.js";

/** A target that couldn't answer, and why. */
export interface Failure {
  readonly target: FleetTarget;
  readonly error: unknown;
}

/**
 * Asks all at once and keeps what answered: one target that is down must not hide the others. What is wrong with the request itself
 * (recovery `refuse`) is thrown.
 */
export async function settle<T, A>(
  things: readonly T[],
  targetOf: (thing: T) => FleetTarget,
  ask: (thing: T) => Promise<A>,
): Promise<{ readonly answers: readonly A[]; readonly failures: readonly Failure[] }> {
  const results = await Promise.allSettled(things.map((thing) => ask(thing)));
  const answers: A[] = [];
  const failures: Failure[] = [];
  for (const [i, result] of results.entries()) {
    if (result.status === "fulfilled") answers.push(result.value);
    else if (isLockstepError(result.reason) && result.reason.recovery === "refuse") throw result.reason;
    else failures.push({ target: targetOf(things[i]!), error: result.reason as unknown });
  }
  return { answers, failures };
}
