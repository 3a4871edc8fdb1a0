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
  switch (config.type) {
    case "postgres": {
      const { type: _, sources: __, ...options } = config;
      return postgresTarget({ name, ...options });
    }
    case "mysql": {
      const { type: _, sources: __, ...options } = config;
      return mysqlTarget({ name, ...options });
    }
    default:
      return assertNever(config);
  }
}
