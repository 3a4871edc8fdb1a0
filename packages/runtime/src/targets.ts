import type { LockstepConfig } from "@lockstep/config";
import {
  assertNever,
  type Conflicts,
  conflictsOf,
  type Mapping,
  mappingOf,
  parseVersion,
  type Sink,
  sinkTarget,
  type Target,
  type TargetOptions,
  type TwoWayLane,
  twoWayTables,
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
  /** Set for a node of two-way sync: its sources are nodes as well. */
  readonly twoWay?: Pick<TwoWayLane, "writesTo" | "tables">;
}

/**
 * The targets of a configuration, not yet opened, each with the names of the sources it mirrors. Only the engines that are named are
 * loaded: a driver costs some 8 MB.
 */
export async function targetsOf(config: LockstepConfig): Promise<readonly ConfiguredTarget[]> {
  const made = Object.entries(config.targets).map(async ([name, target]) => {
    const { sources = Object.keys(config.sources), map, maskSecret: secret, conflicts } = target;
    const twoWay = nodeOf(config, name);
    return {
      target: await makeTarget(
        name,
        target,
        twoWay?.writesTo === "hub" ? await announcing(config, name) : {},
      ),
      sources,
      ...(twoWay === undefined ? {} : { twoWay }),
      ...(map === undefined ? {} : { mapping: mappingOf(map, { secret }) }),
      ...(conflicts === undefined ? {} : { conflicts: conflictsOf(conflicts) }),
    };
  });
  return Promise.all(made);
}

/** Makes Lockstep's own tables in a target of the configuration, where they are missing. */
export async function makeOwnTables(config: LockstepConfig, name: string): Promise<void> {
  const target = await makeTarget(name, config.targets[name]!, {});
  try {
    await target.open();
  } finally {
    await target.close();
  }
}

/** What a target is to two-way sync, if it is a node. */
function nodeOf(config: LockstepConfig, name: string): ConfiguredTarget["twoWay"] {
  for (const { hub, leaves, tables } of Object.values(config.twoWay)) {
    if (name === hub) return { writesTo: "hub", tables: twoWayTables(tables) };
    if (leaves.includes(name)) return { writesTo: "leaf", tables: twoWayTables(tables) };
  }
  return undefined;
}

type HubOptions = Pick<TargetOptions, "announce" | "beforeDiscard">;

/** A hub is a source as well: what its lanes and persons decide is written into its outbox. */
async function announcing(config: LockstepConfig, name: string): Promise<HubOptions> {
  const { mysqlOutboxWriter, mysqlRowEmitter, postgresOutboxWriter, postgresRowEmitter } =
    await import("@lockstep/outbox");
  const { outbox, url = "" } = config.sources[name]!;
  const isPostgres = config.targets[name]!.type === "postgres";
  const writer = isPostgres ? postgresOutboxWriter(outbox) : mysqlOutboxWriter(outbox);
  return {
    async beforeDiscard({ table, key, version }) {
      const emitter = isPostgres ? postgresRowEmitter(url, name, outbox) : mysqlRowEmitter(url, outbox);
      const over = version === undefined ? undefined : parseVersion(version);
      const rows = [{ key: JSON.parse(key) as string[], over }];
      try {
        await emitter.reassert(
          { namespace: nodeNamespace(config, name), name: plainName(table) },
          name,
          rows,
        );
      } finally {
        await emitter.close();
      }
    },
    async announce(run, rows) {
      await writer.append(
        run,
        rows.map((row) => ({ ...row, op: "update" as const })),
        {},
      );
    },
  };
}

/** Where a node's two-way tables lie. */
export function nodeNamespace({ sources, targets }: LockstepConfig, name: string): string {
  const target = targets[name]!;
  if ("namespace" in target && target.namespace !== undefined) return target.namespace;
  return target.type === "postgres"
    ? "public"
    : decodeURIComponent(new URL(sources[name]!.url!).pathname.slice(1));
}

function plainName(table: string): string {
  return table.slice(table.indexOf(".") + 1);
}

async function makeTarget(
  name: string,
  config: LockstepConfig["targets"][string],
  hub: HubOptions,
): Promise<Target> {
  switch (config.type) {
    case "postgres": {
      const { type: _, sources: __, map: ___, maskSecret: ____, conflicts: _____, ...options } = config;
      const { postgresTarget } = await import("@lockstep/target-postgres");
      return postgresTarget({ name, ...options, ...hub });
    }
    case "mysql": {
      const { type: _, sources: __, map: ___, maskSecret: ____, conflicts: _____, ...options } = config;
      const { mysqlTarget } = await import("@lockstep/target-mysql");
      return mysqlTarget({ name, ...options, ...hub });
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
