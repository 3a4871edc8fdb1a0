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
import { captureOf, type CaptureSource, outboxWriterOf, runAtSource } from "@lockstep/publisher/capture";
import { type ConfiguredTarget, targetsOf } from "@lockstep/runtime";
import { capturedTables } from "../source/captured-tables.js";
import { chooseSources, type ChosenSource } from "../source/choose-sources.js";

/** Which sources, targets and tables are compared. */
export interface PairOptions {
  readonly source?: string;
  readonly target?: string;
  readonly entity?: readonly string[];
}

/** A source and one of its targets. */
export interface Pair {
  readonly source: {
    readonly name: string;
    readonly reader: TableReader;
    readonly log: ReturnType<ReturnType<typeof captureOf>["changeLog"]>;
    readonly tables: readonly TableSchema[];
  };
  readonly target: Target;
  readonly mapping?: Mapping | undefined;
  readonly emitter: RowEmitter;
  /** Columns that nobody is to see. */
  readonly mask: Mask;
}

/**
 * Lends each pair to `work`, one after another; `skipped` is told of targets that nothing can be read of.
 * @throws LockstepError CONFIG_INVALID, ENTITY_UNKNOWN: before anything is read.
 */
export async function atPairs<T>(
  config: LockstepConfig,
  options: PairOptions,
  work: (pair: Pair) => Promise<T>,
  skipped: (target: string) => void,
): Promise<T[]> {
  const { source, target: wanted } = options;
  const sources = chooseSources(config, source);
  const targets = await targetsOf(config);
  try {
    const named = targets.filter(({ target }) => wanted === undefined || target.name === wanted);
    if (named.length === 0) throw unknown("target", wanted ?? "", Object.keys(config.targets));
    const readable = named.filter(({ target }) => target.reader !== undefined);
    if (wanted !== undefined && readable.length === 0)
      throw new LockstepError("CONFIG_INVALID", `nothing can be read of the target "${wanted}"`);
    for (const { target } of named) if (target.reader === undefined) skipped(target.name);
    const mask = maskOf(config.status.maskColumns);
    const results: T[] = [];
    for (const chosen of sources) {
      const mine = readable.filter(({ sources }) => sources.includes(chosen.source.name));
      if (mine.length > 0)
        results.push(...(await atSource(chosen, { targets: mine, mask, entity: options.entity }, work)));
    }
    return results;
  } finally {
    await Promise.all(targets.map(({ target }) => target.close()));
  }
}

async function atSource<T>(
  chosen: ChosenSource,
  {
    targets,
    mask,
    entity,
  }: {
    readonly targets: readonly ConfiguredTarget[];
    readonly mask: Mask;
    readonly entity: readonly string[] | undefined;
  },
  work: (pair: Pair) => Promise<T>,
): Promise<T[]> {
  const { source, settings } = chosen;
  const log = captureOf(settings.capture, source).changeLog();
  const { reader, emitter } = openSource(source);
  try {
    const captured = await capturedTables(chosen, log);
    const described = await runAtSource(source, (run) => outboxWriterOf(source).describe(run, captured));
    const tables = named(described, entity);
    const results: T[] = [];
    for (const { target, mapping } of targets) {
      results.push(
        await work({ source: { name: source.name, reader, log, tables }, target, mapping, emitter, mask }),
      );
    }
    return results;
  } finally {
    await Promise.all([reader.close(), emitter.close(), log.close()]);
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

function named(
  tables: readonly TableSchema[],
  wanted: readonly string[] | undefined,
): readonly TableSchema[] {
  if (wanted === undefined) return tables;
  return wanted.flatMap((name) => {
    const found = tables.filter((table) => tableId(table) === name || table.name === name);
    if (found.length > 0) return found;
    throw new LockstepError(
      "ENTITY_UNKNOWN",
      `no table "${name}" is captured; known: ${tables.map(tableId).join(", ")}`,
    );
  });
}

function unknown(what: string, name: string, known: readonly string[]): LockstepError {
  return new LockstepError("CONFIG_INVALID", `there is no ${what} "${name}"; known: ${known.join(", ")}`);
}
