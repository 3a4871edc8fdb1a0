import type { LockstepConfig } from "@lockstep/config";
import {
  assertNever,
  type Conflicts,
  conflictsOf,
  type Mapping,
  mappingOf,
  type Sink,
  sinkTarget,
  type Target,
} from "@lockstep/core";

/** A target of the configuration, not yet opened. */
export interface ConfiguredTarget {
  readonly target: Target;
  /** Names of the sources it mirrors. */
  readonly sources: readonly string[];
  /** What becomes of their rows in it; absent when they go as they are. */
  readonly mapping?: Mapping;
  /** What is done about rows in it that others write; absent when they are overwritten. */
  readonly conflicts?: Conflicts;
}

/**
 * The targets of a configuration, not yet opened, each with the names of the sources it mirrors. Only the engines that are named are
 * loaded: a driver costs some 8 MB.
 */
export async function targetsOf(config: LockstepConfig): Promise<readonly ConfiguredTarget[]> {
  const made = Object.entries(config.targets).map(async ([name, target]) => {
    const { sources = Object.keys(config.sources), map, maskSecret: secret, conflicts } = target;
    return {
      target: await makeTarget(name, target),
      sources,
      ...(map === undefined ? {} : { mapping: mappingOf(map, { secret }) }),
      ...(conflicts === undefined ? {} : { conflicts: conflictsOf(conflicts) }),
    };
  });
  return Promise.all(made);
}

async function makeTarget(name: string, config: LockstepConfig["targets"][string]): Promise<Target> {
  switch (config.type) {
    case "postgres": {
      const { type: _, sources: __, map: ___, maskSecret: ____, conflicts: _____, ...options } = config;
      const { postgresTarget } = await import("@lockstep/target-postgres");
      return postgresTarget({ name, ...options });
    }
    case "mysql": {
      const { type: _, sources: __, map: ___, maskSecret: ____, conflicts: _____, ...options } = config;
      const { mysqlTarget } = await import("@lockstep/target-mysql");
      return mysqlTarget({ name, ...options });
    }
    case "webhook": {
      const { webhookSink } = await import("@lockstep/target-webhook");
      return overState(name, config.state, webhookSink(config));
    }
    case "redis": {
      const { redisSink } = await import("@lockstep/target-redis");
      return overState(name, config.state, redisSink({ ...config, name }));
    }
    case "sink":
      return overState(name, config.state, await config.open());
    default:
      return assertNever(config);
  }
}

/** A store without transactions: its checkpoints and letters lie in a database. */
async function overState(name: string, url: string, sink: Sink): Promise<Target> {
  return sinkTarget({ name, sink, state: await openState(name, url) });
}

async function openState(name: string, url: string): Promise<Target> {
  if (url.startsWith("postgres")) {
    const { postgresTarget } = await import("@lockstep/target-postgres");
    return postgresTarget({ name, url });
  }
  const { mysqlTarget } = await import("@lockstep/target-mysql");
  return mysqlTarget({ name, url });
}
