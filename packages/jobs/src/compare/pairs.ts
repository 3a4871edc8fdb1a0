import type { LockstepConfig } from "@lockstep/config";
import {
  LockstepError,
  type Mapping,
  type Mask,
  maskOf,
  type RowEmitter,
  tableId,
  type TableReader,
  type TableSchema,
  type Target,
} from "@lockstep/core";
import { mysqlReader, mysqlRowEmitter, postgresReader, postgresRowEmitter } from "@lockstep/outbox";
import type { CaptureSource } from "@lockstep/publisher/capture";
import type { ConfiguredTarget } from "@lockstep/runtime";
import type { OpenSync } from "../open-sync.js";

/** Which targets and tables of a source are compared; default all. */
export interface PairOptions {
  readonly targets?: readonly string[];
  readonly entities?: readonly string[];
}

interface Wanted {
  readonly source: string | undefined;
  readonly targets: readonly string[] | undefined;
}

/** A source and one of its targets. */
export interface Pair {
  readonly source: {
    readonly name: string;
    readonly reader: TableReader;
    readonly log: OpenSync["log"];
    readonly tables: readonly TableSchema[];
  };
  readonly target: Target;
  readonly mapping?: Mapping | undefined;
  readonly emitter: RowEmitter;
  /** Columns that nobody is to see. */
  readonly mask: Mask;
}

/** Names of the sources that one of these targets mirrors. Opens nothing. @throws LockstepError CONFIG_INVALID when there is no such target. */
export function comparedSources(
  config: LockstepConfig,
  { source, targets = Object.keys(config.targets) }: Wanted,
): readonly string[] {
  for (const name of targets) if (!(name in config.targets)) throw unknownTarget(name, config);
  if (targets.length === 0) throw unknownTarget("", config);
  const sources = source === undefined ? Object.keys(config.sources) : [source];
  // One that isn't configured is refused by whoever opens it.
  return sources.filter(
    (name) =>
      !(name in config.sources) ||
      targets.some((target) => config.targets[target]!.sources?.includes(name) ?? true),
  );
}

/**
 * Targets of the source whose rows can be read, and those that nothing can be read of.
 * @throws LockstepError CONFIG_INVALID when one is named that doesn't mirror the source, or none that is named can be read.
 */
export function readableTargets(
  { config, source, targets }: Pick<OpenSync, "config" | "source" | "targets">,
  names?: readonly string[],
): { readonly readable: readonly ConfiguredTarget[]; readonly skipped: readonly string[] } {
  const known = targets.map(({ target }) => target.name);
  for (const name of names ?? []) {
    if (!known.includes(name) && !(name in config.targets)) throw unknownTarget(name, config);
    if (!known.includes(name))
      throw new LockstepError("CONFIG_INVALID", `the target "${name}" doesn't mirror ${source.name}`);
  }
  const named = targets.filter(({ target }) => names?.includes(target.name) ?? true);
  const readable = named.filter(({ target }) => target.reader !== undefined);
  if (names !== undefined && readable.length === 0)
    throw new LockstepError("CONFIG_INVALID", `nothing can be read of the target "${names.join('", "')}"`);
  const skipped = named.filter((target) => !readable.includes(target)).map(({ target }) => target.name);
  return { readable, skipped };
}

/** The captured tables named, or all. @throws LockstepError ENTITY_UNKNOWN. */
export async function comparedTables(
  { atSource, writer, tables }: Pick<OpenSync, "atSource" | "writer" | "tables">,
  wanted?: readonly string[],
): Promise<readonly TableSchema[]> {
  const captured = await tables();
  const described = await atSource((run) => writer.describe(run, captured));
  if (wanted === undefined) return described;
  return wanted.flatMap((name) => {
    const found = described.filter((table) => tableId(table) === name || table.name === name);
    if (found.length > 0) return found;
    throw new LockstepError(
      "ENTITY_UNKNOWN",
      `no table "${name}" is captured; known: ${described.map(tableId).join(", ")}`,
    );
  });
}

/** Lends each pair to `work`, one after another, until it gives something. */
export async function atPairs<T>(
  open: OpenSync,
  { targets, entities }: PairOptions,
  work: (pair: Pair) => Promise<T | undefined>,
): Promise<T | undefined> {
  const { readable } = readableTargets(open, targets);
  const tables = await comparedTables(open, entities);
  const { reader, emitter } = openSource(open.source);
  const source = { name: open.source.name, reader, log: open.log, tables };
  const mask = maskOf(open.config.status.maskColumns);
  try {
    for (const { target, mapping } of readable) {
      const result = await work({ source, target, mapping, emitter, mask });
      if (result !== undefined) return result;
    }
    return undefined;
  } finally {
    await Promise.all([reader.close(), emitter.close()]);
  }
}

function openSource(source: CaptureSource): Pick<Pair, "emitter"> & { readonly reader: TableReader } {
  if (source.engine === "postgres") {
    const { connection, name, outbox } = source;
    return {
      reader: postgresReader(connection, name),
      emitter: postgresRowEmitter(connection, name, outbox),
    };
  }
  return {
    reader: mysqlReader(source.connection),
    emitter: mysqlRowEmitter(source.connection, source.outbox),
  };
}

function unknownTarget(name: string, { targets }: LockstepConfig): LockstepError {
  const known = Object.keys(targets).join(", ");
  return new LockstepError("CONFIG_INVALID", `there is no target "${name}"; known: ${known}`);
}
