import type { LockstepConfig } from "@lockstep/config";
import type { Target } from "@lockstep/core";
import { assertNever } from "@lockstep/core";
import { mysqlTarget } from "@lockstep/target-mysql";
import { postgresTarget } from "@lockstep/target-postgres";

/** The targets of a configuration, not yet opened, each with the names of the sources it mirrors. */
export function targetsOf(
  config: LockstepConfig,
): readonly { readonly target: Target; readonly sources: readonly string[] }[] {
  return Object.entries(config.targets).map(([name, target]) => ({
    target: makeTarget(name, target),
    sources: target.sources ?? Object.keys(config.sources),
  }));
}

function makeTarget(name: string, config: LockstepConfig["targets"][string]): Target {
  const { type, sources: _, namespace, ...options } = config;
  const full = { name, ...options, ...(namespace === undefined ? {} : { namespace }) };
  switch (type) {
    case "postgres":
      return postgresTarget(full);
    case "mysql":
      return mysqlTarget(full);
    default:
      return assertNever(type);
  }
}
