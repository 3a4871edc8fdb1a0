import type { LockstepConfig } from "@lockstep/config";
import type { Target } from "@lockstep/core";
import { assertNever } from "@lockstep/core";

/**
 * The targets of a configuration, not yet opened, each with the names of the sources it mirrors. Only the engines that are named are
 * loaded: a driver costs some 8 MB.
 */
export async function targetsOf(
  config: LockstepConfig,
): Promise<readonly { readonly target: Target; readonly sources: readonly string[] }[]> {
  const made = Object.entries(config.targets).map(async ([name, target]) => ({
    target: await makeTarget(name, target),
    sources: target.sources ?? Object.keys(config.sources),
  }));
  return Promise.all(made);
}

async function makeTarget(name: string, config: LockstepConfig["targets"][string]): Promise<Target> {
  switch (config.type) {
    case "postgres": {
      const { type: _, sources: __, ...options } = config;
      const { postgresTarget } = await import("@lockstep/target-postgres");
      return postgresTarget({ name, ...options });
    }
    case "mysql": {
      const { type: _, sources: __, ...options } = config;
      const { mysqlTarget } = await import("@lockstep/target-mysql");
      return mysqlTarget({ name, ...options });
    }
    default:
      return assertNever(config);
  }
}
