import type { LockstepConfig } from "@lockstep/config";
import {
  type CaptureKind,
  type ChangedRows,
  type ChangeLog,
  type ImageWriter,
  type JobStore,
  LockstepError,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type SnapshotWriter,
} from "@lockstep/core";
import {
  mysqlChangedRows,
  mysqlImageWriter,
  mysqlJobStore,
  mysqlSnapshotWriter,
  postgresChangedRows,
  postgresImageWriter,
  postgresJobStore,
  postgresSnapshotWriter,
} from "@lockstep/outbox";
import { captureOf, type CaptureSource, outboxWriterOf, runAtSource } from "@lockstep/publisher/capture";
import { type ConfiguredTarget, targetsOf } from "@lockstep/runtime";
import { capturedTables } from "./source/captured-tables.js";
import { chooseSources, type ChosenSource } from "./source/choose-sources.js";

/** A source and its targets, as jobs reach them. */
export interface OpenSync {
  readonly config: LockstepConfig;
  readonly chosen: ChosenSource;
  /** Where its outbox is. */
  readonly source: CaptureSource;
  readonly capture: CaptureKind;
  /** URL of the Redis that its stream is in. */
  readonly redis: string;
  readonly log: ChangeLog;
  readonly jobs: JobStore;
  readonly snapshots: SnapshotWriter;
  readonly writer: OutboxWriter;
  /** Reads the tables that nobody captures. */
  readonly rows: ChangedRows;
  readonly images: ImageWriter;
  /** Targets of the configuration that mirror this source. */
  readonly targets: readonly ConfiguredTarget[];
  /** Lends a session of the outbox's database. */
  atSource<T>(work: (run: RunStatement) => Promise<T>): Promise<T>;
  /** Tables that are captured, as the outbox and the configuration know them, and that exist. */
  tables(): Promise<readonly RowNote["table"][]>;
}

/** Lends the one source that is meant. @throws LockstepError CONFIG_INVALID. */
export async function withSync<T>(
  config: LockstepConfig,
  named: string | undefined,
  work: (open: OpenSync) => Promise<T>,
): Promise<T> {
  const chosen = chooseSources(config, named);
  const [only] = chosen;
  if (only === undefined || chosen.length > 1) {
    throw new LockstepError("CONFIG_INVALID", "there are several sources: name one with --source");
  }
  const { source, settings } = only;
  const log = captureOf(settings.capture, source).changeLog();
  const targets = (await targetsOf(config)).filter(({ sources }) => sources.includes(source.name));
  const jobs = jobStoreOf(source);
  const rows = changedRowsOf(only.rows);
  try {
    return await work({
      config,
      chosen: only,
      source,
      capture: settings.capture,
      redis: only.redis,
      log,
      jobs,
      snapshots: snapshotsOf(source),
      writer: outboxWriterOf(source),
      rows,
      images: imagesOf(source),
      targets,
      atSource: (ask) => runAtSource(source, ask),
      tables: () => capturedTables(only, log),
    });
  } finally {
    await Promise.allSettled([
      log.close(),
      jobs.close(),
      rows.close(),
      ...targets.map(({ target }) => target.close()),
    ]);
  }
}

/** The jobs of a source, beside its outbox. Connects on first use. */
export function jobStoreOf(source: CaptureSource): JobStore {
  const { name, outbox } = source;
  return source.engine === "postgres"
    ? postgresJobStore({
        connection: source.connection,
        source: name,
        ...outbox,
      })
    : mysqlJobStore({
        connection: source.connection,
        ...outbox,
      });
}

function snapshotsOf({ engine, outbox }: CaptureSource): SnapshotWriter {
  return engine === "postgres" ? postgresSnapshotWriter(outbox) : mysqlSnapshotWriter(outbox);
}

function changedRowsOf(rows: CaptureSource): ChangedRows {
  return rows.engine === "postgres"
    ? postgresChangedRows(rows.connection, rows.name)
    : mysqlChangedRows(rows.connection);
}

function imagesOf({ engine, outbox }: CaptureSource): ImageWriter {
  return engine === "postgres" ? postgresImageWriter(outbox) : mysqlImageWriter(outbox);
}
