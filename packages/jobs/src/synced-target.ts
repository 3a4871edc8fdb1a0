import { LockstepError } from "@lockstep/core";
import type { SyncedTarget } from "@lockstep/sync";
import type { OpenSync } from "./open-sync.js";

/** A job's target, as it is configured now. @throws LockstepError CONFIG_INVALID. */
export function syncedTarget({ targets }: Pick<OpenSync, "targets">, name: string): SyncedTarget {
  const found = targets.find(({ target }) => target.name === name);
  if (found) return { target: found.target, routes: (schema) => found.mapping?.routes(schema) };
  throw new LockstepError("CONFIG_INVALID", `the job's target "${name}" is no longer configured`);
}
