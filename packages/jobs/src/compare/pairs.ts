import type { LockstepConfig } from "@lockstep/config";
import {
  isLockstepError,
  LockstepError,
  type Mapping,
  type Mask,
  maskOf,
  type RowEmitter,
  type TableReader,
  type TableSchema,
  type Target,
} from "@lockstep/core";
import { mysqlReader, mysqlRowEmitter, postgresReader, postgresRowEmitter } from "@lockstep/outbox";
import { captureOf, type CaptureSource } from "@lockstep/publisher/capture";
import { type ConfiguredTarget, targetsOf } from "@lockstep/runtime";
import { passage } from "@lockstep/sync";
import { emitterToLeaf } from "../nodes/emit-to-leaf.js";
import type { OpenSync } from "../open-sync.js";
import { tablesNamed } from "../source/named-tables.js";
import { watchedTables } from "../source/captured-tables.js";
import { chooseSources, type ChosenSource, refuseUntouched } from "../source/choose-sources.js";

/** Which targets and tables of a source are compared; default all. */
export interface PairOptions {
  readonly targets?: readonly string[];
  readonly entities?: readonly string[];
  /** Rows are sent, too: tables that an incremental sync reads are left to it, as what two senders read would overtake each other. */
  readonly sends?: boolean;
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
  readonly emitter: Pick<RowEmitter, "emit" | "emitOrDelete">;
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
  const readable = named.filter(({ target }) => (target.reader ?? target.held) !== undefined);
  if (names !== undefined && readable.length === 0)
    throw new LockstepError("CONFIG_INVALID", `nothing can be read of the target "${names.join('", "')}"`);
  const skipped = named.filter((target) => !readable.includes(target)).map(({ target }) => target.name);
  return { readable, skipped };
}

/** The tables named, or all that are captured or read by an incremental sync. @throws LockstepError ENTITY_UNKNOWN, SOURCE_UNTOUCHED. */
export async function comparedTables(
  open: OpenSync,
  { entities: wanted, sends = false }: Pick<PairOptions, "entities" | "sends">,
): Promise<readonly TableSchema[]> {
  if (sends) refuseUntouched(open.chosen, "a repair");
  const known = [...(await capturedOf(open)), ...(sends ? [] : await watchedOf(open))];
  if (wanted === undefined) return known;
  return wanted.flatMap((name) => tablesNamed(known, name));
}

async function capturedOf({ chosen, atSource, writer, tables }: OpenSync): Promise<readonly TableSchema[]> {
  if (chosen.settings.stateStore !== undefined) return [];
  const captured = await tables();
  return atSource((run) => writer.describe(run, captured));
}

async function watchedOf({ chosen, rows }: OpenSync): Promise<readonly TableSchema[]> {
  const schemas: TableSchema[] = [];
  for (const table of (await watchedTables(chosen)).values()) {
    const surveyed = table && (await rows.survey(table));
    if (surveyed) schemas.push(surveyed.schema);
  }
  return schemas;
}

/** Lends each pair to `work`, one after another, until it gives something. */
export async function atPairs<T>(
  open: OpenSync,
  options: PairOptions,
  work: (pair: Pair) => Promise<T | undefined>,
): Promise<T | undefined> {
  const { readable } = readableTargets(open, options.targets);
  const tables = await comparedTables(open, options);
  const reader = readerOf(open.chosen.rows);
  const { name } = open.source;
  const mask = maskOf(open.config.status.maskColumns);
  const own = emitterOf(open.source);
  const closing: { close(): Promise<unknown> }[] = [reader, own];
  try {
    for (const { target, mapping, twoWay } of readable) {
      const shared = twoWay && tables.filter((schema) => twoWay.tables.policyOf(schema) !== undefined);
      const source = { name, reader, log: open.log, tables: shared ?? tables };
      let emitter: Pair["emitter"] = own;
      if (options.sends && twoWay?.writesTo === "leaf") {
        const toLeaf = await openToLeaf(open, target.name);
        closing.push(toLeaf);
        emitter = emitterToLeaf({ name, hub: own, ...toLeaf });
      }
      const result = await work({ source, target, mapping, emitter, mask });
      if (result !== undefined) return result;
    }
    return undefined;
  } finally {
    await Promise.all(closing.map((one) => one.close()));
  }
}

/** How long a leaf's changes may take to the hub, ms. */
const leafTimeoutMs = 60_000;

/** What a repair needs of a leaf, and of its way to the hub. */
async function openToLeaf({ config, source: hub }: OpenSync, name: string) {
  const [{ source, settings }] = chooseSources(config, name) as [ChosenSource];
  const leaf = emitterOf(source);
  const log = captureOf(settings.capture, source).changeLog();
  const targets = await targetsOf(config);
  const { target } = targets.find((one) => one.target.name === hub.name)!;
  const through = passage({ source: name, log, target, timeoutMs: leafTimeoutMs });
  return {
    leaf,
    pass: () =>
      through().catch((cause: unknown) => {
        if (isLockstepError(cause) || target.classify(cause).kind !== "systemic") throw cause;
        throw new LockstepError("TARGET_BEHIND", `${hub.name} can't be reached as a target of ${name}`, {
          cause,
        });
      }),
    close: () => Promise.all([leaf.close(), log.close(), ...targets.map((one) => one.target.close())]),
  };
}

function readerOf(rows: CaptureSource): TableReader {
  return rows.engine === "postgres"
    ? postgresReader(rows.connection, rows.name)
    : mysqlReader(rows.connection);
}

function emitterOf(source: CaptureSource): RowEmitter {
  const { name, outbox } = source;
  return source.engine === "postgres"
    ? postgresRowEmitter(source.connection, name, outbox)
    : mysqlRowEmitter(source.connection, outbox);
}

function unknownTarget(name: string, { targets }: LockstepConfig): LockstepError {
  const known = Object.keys(targets).join(", ");
  return new LockstepError("CONFIG_INVALID", `there is no target "${name}"; known: ${known}`);
}
