import { type LetterFilter, LockstepError, type LetterState } from "@lockstep/core";
import type { FastifyBaseLogger } from "fastify";
import { parseLetterId } from "../fleet/addresses.js";
import type { Fleet, FleetTarget } from "../fleet/fleet.js";
import { describeError } from "../problem/problem-answers.js";

/** States that a replay may start from. `due` isn't one: the lane has it already. */
export const replayable = ["dead", "retrying", "waiting"] as const satisfies readonly LetterState[];

/** Finds the target a letter's id names. @throws LockstepError LETTER_UNKNOWN. */
export function findTarget(
  fleet: Fleet,
  letterId: string,
): { readonly target: FleetTarget; readonly id: string } {
  const { target: name, id } = parseLetterId(letterId);
  const target = fleet.targets.get(name);
  if (target === undefined) throw new LockstepError("LETTER_UNKNOWN", "there is no target of that name");
  return { target, id };
}

/**
 * Marks letters due, at most `limit`. Rows are written by the lane alone (PROTOCOL.md 14), in its next transaction.
 * @returns ids inside the target.
 */
export async function replayLetters(
  { target, door }: FleetTarget,
  filter: LetterFilter,
  by: string,
  limit: number,
  timeoutMs: number,
): Promise<readonly string[]> {
  return door.ask(() => target.letters.replay({ states: replayable, ...filter }, by, limit), timeoutMs);
}

/**
 * Tells the lanes of a target that a person decided something. The decision already stands in the target and lanes look for due
 * letters by themselves, so a Redis that is away only makes it slower: false then.
 */
export async function nudgeLanes(
  { name, sources }: FleetTarget,
  lanes: readonly { readonly source: string; readonly partition: number }[],
  log: FastifyBaseLogger,
): Promise<boolean> {
  const nudges = lanes.map(async ({ source, partition }) => {
    const from = sources.find((s) => s.name === source);
    if (from === undefined) return;
    await from.door.ask(() => from.schedule.nudge({ target: name, source, partition }));
  });
  const results = await Promise.allSettled(nudges);
  const failed = results.find((r) => r.status === "rejected");
  if (failed !== undefined)
    log.warn({ target: name, ...describeError(failed.reason) }, "lanes could not be nudged");
  return failed === undefined;
}
