import {
  type ChangeLog,
  type Checkpoint,
  type ClaimedJob,
  comparePositions,
  type JobStore,
  type Position,
  LockstepError,
  type RowMapping,
  type SnapshotWriter,
  tableId,
  type TableSchema,
  type Target,
} from "@lockstep/core";
import type { BulkRoom } from "./bulk/bulk-room.js";
import { loadTables } from "./bulk/load-tables.js";
import { defaultChunkBounds } from "./chunk-size.js";
import { copyTable } from "./copy-table.js";
import { Flow } from "./flow.js";
import type { FullSyncOptions, FullSyncProgress } from "./full-sync-job.js";
import { Pace } from "./pace.js";
import { removeExtra } from "./remove-extra.js";
import type { FullSyncWork, Stopped } from "./room.js";
import { waitForTargets } from "./wait.js";

/** A target of a full sync. */
export interface SyncedTarget {
  readonly target: Pick<
    Target,
    "name" | "checkpoints" | "keys" | "setSeeded" | "lane" | "letters" | "unseat" | "loader" | "classify"
  >;
  /** Into which tables the rows of a table go there; `undefined` when they go as they are. */
  readonly routes: (schema: TableSchema) => readonly RowMapping[] | undefined;
  /** True when others write its rows as well: everything goes through the stream, because only lanes keep what tells whose a row is. */
  readonly guarded?: boolean;
}

/** What a full sync works with. */
export interface FullSyncRoom {
  /** Name of the source. */
  readonly source: string;
  readonly claim: ClaimedJob;
  readonly jobs: Pick<JobStore, "move">;
  readonly snapshots: SnapshotWriter;
  readonly log: Pick<ChangeLog, "barrier">;
  /** Absent: everything goes through the stream. */
  readonly bulk?: BulkRoom;
  /** Of the job's tables, as they are now. */
  readonly schemas: readonly TableSchema[];
  /** Those of the job's options, in their order. */
  readonly targets: readonly SyncedTarget[];
  /** Rows that may be on their way to the slowest target. Default 20,000. */
  readonly maxAheadRows?: number;
  /** Called with how far it is, and what it waits for. */
  readonly onProgress?: (progress: FullSyncProgress, waitingFor?: string) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How it ended: `done`, or what stopped it. */
export type FullSyncEnd = "done" | Stopped;

const defaultMaxAheadRows = 20_000;
const barrierTimeoutMs = 10_000;

/**
 * Works on a full sync from where it stands until it is done, paused, cancelled, or another process's. Everything it writes goes through the outbox
 * of the source, in transactions that also keep how far it is: it may be killed between any two steps, and whoever claims the job goes on.
 * @throws what the source or a target threw; the job stays as it is, to be claimed again.
 */
export async function runFullSync(room: FullSyncRoom): Promise<FullSyncEnd> {
  const job = await room.claim.read();
  const options = job.options as FullSyncOptions;
  const work = workOf(room, options, job.progress as FullSyncProgress);
  const loaded = await loadTables(work);
  if (loaded !== undefined) return loaded;
  const places = work.progress.tables.map((_, place) => place);
  for (const place of places) {
    const stopped = await copyTable(work, place);
    if (stopped !== undefined) return stopped;
  }
  // Children first: a parent's row that is still referred to would be refused.
  for (const place of options.keepExtra ? [] : places.toReversed()) {
    const stopped = await removeExtra(work, place);
    if (stopped !== undefined) return stopped;
  }
  const stopped = await waitForTargets(work);
  if (stopped !== undefined) return stopped;
  if (options.isWhole) await seed(room);
  await room.jobs.move(job.id, "done");
  return "done";
}

function workOf(room: FullSyncRoom, options: FullSyncOptions, progress: FullSyncProgress): FullSyncWork {
  const {
    source,
    claim,
    snapshots,
    targets,
    log,
    now,
    sleep,
    bulk,
    maxAheadRows = defaultMaxAheadRows,
  } = room;
  const flow = new Flow({
    barrier: () => log.barrier(barrierTimeoutMs),
    reached: () => reachedBy(room),
    maxAheadRows,
    sleep,
  });
  const work: FullSyncWork = {
    source,
    claim,
    snapshots,
    options,
    targets,
    schemaOf: (table) => schemaOf(room, table),
    flow,
    ...(bulk !== undefined && { bulk }),
    pace: new Pace(options.maxRowsPerSecond),
    bounds: { ...defaultChunkBounds, maxRows: Math.min(defaultChunkBounds.maxRows, maxAheadRows) },
    now,
    sleep,
    progress,
    told: (waitingFor) => room.onProgress?.(work.progress, waitingFor),
  };
  return work;
}

function schemaOf({ schemas }: FullSyncRoom, table: { namespace: string; name: string }): TableSchema {
  const schema = schemas.find((one) => tableId(one) === tableId(table));
  if (schema !== undefined) return schema;
  throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(table)} is gone`);
}

type Mirrors = Pick<FullSyncRoom, "source" | "targets">;

/** How far the slowest lane is; `undefined` while a target has none. */
export async function reachedBy({ source, targets }: Mirrors): Promise<Position | undefined> {
  const lanes = await Promise.all(
    targets.map(async ({ target }) => (await target.checkpoints()).filter((lane) => lane.source === source)),
  );
  if (lanes.some((own) => own.length === 0)) return undefined;
  return lanes
    .flat()
    .map((lane: Checkpoint) => lane.position)
    .reduce((a, b) => (comparePositions(a, b) <= 0 ? a : b));
}

/** Says in the targets that they hold everything older than their places. */
export async function seed({ source, targets }: Mirrors): Promise<void> {
  for (const { target } of targets) {
    for (const lane of await target.checkpoints()) {
      if (lane.source === source) await target.setSeeded({ source, partition: lane.partition });
    }
  }
}
