import type { JobOptions } from "@lockstep/config";
import { comparePositions, LockstepError, type Target } from "@lockstep/core";
import type { SyncTarget } from "@lockstep/sync";
import type { OpenSync } from "../open-sync.js";

/** Targets of a job, and the names of those of them that begin anew first. */
interface ChosenTargets {
  readonly targets: readonly SyncTarget[];
  readonly anew: readonly string[];
}

/**
 * The targets named, or all: only who is registered at the source is sent anything. With `--anew` those begin anew that are named, else those that can't
 * go on from where they stand. Moves nothing. @throws LockstepError CONFIG_INVALID, TARGET_NOT_FOLLOWING.
 */
export async function chosenTargets(open: OpenSync, wish: JobOptions<"full">): Promise<ChosenTargets> {
  const known = new Map(open.targets.map(({ target }) => [target.name, target]));
  const unknown = (wish.targets ?? []).filter((name) => !known.has(name));
  if (unknown.length > 0 || known.size === 0) {
    const list = [...known.keys()].join(", ");
    throw new LockstepError("CONFIG_INVALID", `there is no target "${unknown.join('", "')}"; known: ${list}`);
  }
  const targets: SyncTarget[] = [];
  const anew: string[] = [];
  for (const name of wish.targets ?? known.keys()) {
    const target = known.get(name)!;
    const { id } = await target.open();
    const stands = await standing(open, target, id);
    if (stands === "unregistered")
      throw notFollowing(name, "is not registered at the source, with all of its lanes");
    const moves = wish.anew === true && (wish.targets !== undefined || stands !== "following");
    if (!moves && stands !== "following") throw notFollowing(name, "can't go on from where it stands");
    if (moves) anew.push(name);
    targets.push({ id, name });
  }
  return { targets, anew };
}

/** Whether a target can go on from where it stands, by what the source says of it and by its checkpoint. */
async function standing({ log, source }: OpenSync, target: Target, id: string) {
  const registered = (await log.targets()).filter((lane) => lane.id === id);
  // A lane that registers later begins behind what is copied until then: its rows would never come.
  if (registered.length < ((await log.partitions()) ?? 1)) return "unregistered";
  if (registered.some(({ state }) => state !== "following")) return "elsewhere";
  const [incarnation, pruned] = [await log.incarnation(), await log.prunedThrough()];
  const lanes = (await target.checkpoints()).filter((lane) => lane.source === source.name);
  const canGoOn = lanes.every(
    (lane) => lane.incarnation === incarnation && comparePositions(lane.position, pruned) >= 0,
  );
  return canGoOn ? "following" : "elsewhere";
}

function notFollowing(name: string, why: string): LockstepError {
  return new LockstepError("TARGET_NOT_FOLLOWING", `the target "${name}" ${why}`);
}
