import { loadConfig, type LockstepConfig } from "@lockstep/config";
import {
  type CaptureKind,
  LockstepError,
  type RowNote,
  type RunStatement,
  silentLogger,
} from "@lockstep/core";
import {
  type CaptureSource,
  captureSource,
  existingTables,
  namedTables,
  runAtSource,
  sourceOfUrl,
  tableName,
} from "@lockstep/publisher/capture";
import { openDataSource } from "./data-source-module.js";

/** Which source a capture command works on. */
export interface SourceOptions {
  readonly config?: string;
  readonly source?: string;
  readonly dataSource?: string;
  readonly capture?: CaptureKind;
}

/** A source that a capture command works on. */
export interface OpenSource {
  readonly name: string;
  readonly capture: CaptureKind;
  readonly source: CaptureSource;
  readonly run: RunStatement;
  /** Those that exist. */
  readonly tables: readonly RowNote["table"][];
  /** Named, and not there. */
  readonly missing: readonly string[];
}

type Settings = Pick<
  LockstepConfig["sources"][string],
  "url" | "stateStore" | "capture" | "outbox" | "captureTables" | "foreignKeyActions"
>;

/** Lends each chosen source to `work`, one after another. @throws LockstepError CONFIG_INVALID. */
export async function atSources<T>(
  options: SourceOptions,
  work: (source: OpenSource) => Promise<T>,
): Promise<T[]> {
  const chosen = await chosenSettings(options);
  if (options.dataSource !== undefined && chosen.length > 1) {
    throw new LockstepError("CONFIG_INVALID", "--data-source is one source: name it with --source");
  }
  const results: T[] = [];
  for (const [name, settings] of chosen) {
    // A capture is something in the source.
    if (settings.stateStore !== undefined)
      throw new LockstepError(
        "SOURCE_UNTOUCHED",
        `the source "${name}" has a stateStore: nothing captures it`,
      );
    const about = {
      name,
      outbox: settings.outbox,
      logger: silentLogger,
      foreignKeyActions: settings.foreignKeyActions,
    };
    const capture = options.capture ?? settings.capture;
    results.push(
      await (options.dataSource === undefined
        ? byUrl(about, settings, (open) => work({ name, capture, ...open }))
        : byDataSource(options.dataSource, about, settings, (open) => work({ name, capture, ...open }))),
    );
  }
  return results;
}

type Opened = Pick<OpenSource, "source" | "run" | "tables" | "missing">;
type About = Pick<CaptureSource, "name" | "outbox" | "logger" | "foreignKeyActions">;

async function byUrl<T>(about: About, settings: Settings, work: (open: Opened) => Promise<T>): Promise<T> {
  if (settings.url === undefined) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `sources.${about.name}.url: Lockstep connects to the source for this`,
    );
  }
  const source = sourceOfUrl(settings.url, about);
  return lend(
    source,
    settings.captureTables.map((path) => ({ path, ...tableName(path) })),
    work,
  );
}

async function byDataSource<T>(
  file: string,
  about: About,
  { captureTables }: Settings,
  work: (open: Opened) => Promise<T>,
): Promise<T> {
  const dataSource = await openDataSource(file);
  try {
    const source = captureSource(dataSource, { ...about, url: undefined });
    return await lend(source, namedTables(dataSource, { engine: source.engine, captureTables }), work);
  } finally {
    await dataSource.destroy();
  }
}

function lend<T>(
  source: CaptureSource,
  named: ReturnType<typeof namedTables>,
  work: (open: Opened) => Promise<T>,
): Promise<T> {
  return runAtSource(source, async (run) => {
    const found = await existingTables(source.engine, run, named);
    const tables = found.filter((table) => table !== undefined);
    const missing = named.filter((_, index) => found[index] === undefined).map(({ path }) => path);
    return work({ source, run, tables, missing });
  });
}

async function chosenSettings(options: SourceOptions): Promise<(readonly [string, Settings])[]> {
  // A DataSource and a kind say all that is needed.
  const isWithoutConfig = options.dataSource !== undefined && options.capture && options.config === undefined;
  if (isWithoutConfig && options.source === undefined) {
    const settings: Settings = {
      capture: options.capture,
      outbox: {},
      captureTables: [],
    };
    return [["source", settings]];
  }
  const config = await loadConfig(options.config === undefined ? {} : { file: options.config });
  if (options.source === undefined) return Object.entries(config.sources);
  const settings = config.sources[options.source];
  if (settings !== undefined) return [[options.source, settings]];
  const known = Object.keys(config.sources).join(", ");
  throw new LockstepError("CONFIG_INVALID", `there is no source "${options.source}"; known: ${known}`);
}
