import type { LockstepConfig } from "@lockstep/config";
import { type ConflictEntry, type ConflictFilter, LockstepError } from "@lockstep/core";
import { targetsOf } from "@lockstep/runtime";

/** A conflict and the target that it was decided in. */
export interface ListedConflict extends ConflictEntry {
  readonly targetName: string;
}

/** The newest conflicts of the configured targets, or of one. @throws LockstepError CONFIG_INVALID for a target or source that isn't configured. */
export async function listConflicts(
  config: LockstepConfig,
  { target: name, limit, ...filter }: ConflictFilter & { readonly target?: string; readonly limit: number },
): Promise<readonly ListedConflict[]> {
  refuseUnknown("target", name, Object.keys(config.targets));
  refuseUnknown("source", filter.source, Object.keys(config.sources));
  const targets = await targetsOf(config);
  try {
    const chosen = targets.filter(({ target }) => name === undefined || target.name === name);
    const lists = chosen.map(async ({ target }) => {
      const { conflicts = [] } = (await target.conflicts?.list(filter, { limit })) ?? {};
      return conflicts.map((one): ListedConflict => ({ ...one, targetName: target.name }));
    });
    const found = (await Promise.all(lists)).flat();
    return found.toSorted((a, b) => b.at - a.at).slice(0, limit);
  } finally {
    await Promise.all(targets.map(({ target }) => target.close()));
  }
}

function refuseUnknown(what: string, name: string | undefined, known: readonly string[]): void {
  if (name === undefined || known.includes(name)) return;
  throw new LockstepError("CONFIG_INVALID", `there is no ${what} "${name}"; known: ${known.join(", ")}`);
}
