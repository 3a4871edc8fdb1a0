import { LockstepError } from "@lockstep/core";
import type { SyncedTarget, SyncTarget } from "@lockstep/sync";
import type { OpenSync } from "./open-sync.js";

/**
 * A job's targets, as they are configured now. The job writes to the uuid that it was begun with: another database under the name would get nothing of it, and
 * be called seeded all the same.
 * @throws LockstepError CONFIG_INVALID, TARGET_IDENTITY_CHANGED.
 */
export function syncedTargets(
  open: Pick<OpenSync, "targets">,
  targets: readonly SyncTarget[],
): Promise<readonly SyncedTarget[]> {
  return Promise.all(targets.map((target) => syncedTarget(open, target)));
}

async function syncedTarget(
  { targets }: Pick<OpenSync, "targets">,
  { id, name }: SyncTarget,
): Promise<SyncedTarget> {
  const found = targets.find(({ target }) => target.name === name);
  if (found === undefined) {
    throw new LockstepError("CONFIG_INVALID", `the job's target "${name}" is no longer configured`);
  }
  if ((await found.target.open()).id !== id) {
    throw new LockstepError(
      "TARGET_IDENTITY_CHANGED",
      `the job's target "${name}" is another database than when it began`,
    );
  }
  return {
    target: found.target,
    routes: (schema) => found.mapping?.routes(schema),
    guarded: found.conflicts !== undefined || found.twoWay !== undefined,
  };
}
