import {
  type ChangedRows,
  type ChangeLog,
  type ClaimedJob,
  type ImageWriter,
  type JobStore,
  LockstepError,
  tableId,
} from "@lockstep/core";
import { defaultChunkBounds } from "../full/chunk-size.js";
import { Flow } from "../full/flow.js";
import { Pace } from "../full/pace.js";
import { reachedBy, seed, type SyncedTarget } from "../full/run-full-sync.js";
import type { IncrementalOptions, IncrementalProgress, IncrementalTable } from "./incremental-job.js";
import { judgeTable } from "./judge-table.js";
import { readChanges } from "./read-changes.js";
import { removeGone } from "./remove-gone.js";
import { at, type Cursor, type Ended, type IncrementalWork, keepAtLast, movedTo } from "./room.js";
import { SentRows } from "./sent-rows.js";
import { waitFor, waitForTargets } from "./wait.js";

/** What an incremental sync works with. */
export interface IncrementalRoom {
  /** Name of the source. */
  readonly source: string;
  readonly claim: ClaimedJob;
  readonly jobs: Pick<JobStore, "move">;
  readonly rows: ChangedRows;
  readonly images: ImageWriter;
  readonly log: Pick<ChangeLog, "barrier">;
  /** Those of the job's options, in their order. */
  readonly targets: readonly SyncedTarget[];
  /** The targets hold everything of this source when these tables were read. */
  readonly isWhole: boolean;
  /** Ends the work after the chunk under way. */
  readonly stop: AbortSignal;
  /** Rows that may be on their way to the slowest target. Default 20,000. */
  readonly maxAheadRows?: number;
  readonly onProgress?: (progress: IncrementalProgress, waitingFor?: string) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How it ended: `done`, or what stopped it. */
export type IncrementalEnd = "done" | Ended;

const defaultMaxAheadRows = 20_000;
const barrierTimeoutMs = 10_000;

/**
 * Works on an incremental sync from where it stands: one pass over its tables, or one after another until it is stopped. It may be killed between any two steps,
 * and whoever claims the job goes on.
 * @throws what the source, the outbox's database or a target threw; the job stays as it is, to be claimed again.
 */
export async function runIncremental(room: IncrementalRoom): Promise<IncrementalEnd> {
  const job = await room.claim.read();
  const work = workOf(room, job.options as IncrementalOptions, job.progress as IncrementalProgress);
  const { everyMs } = work.options;
  const sent = new Map<string, SentRows>();
  for (let isFirst = true; ; isFirst = false) {
    const began = work.now();
    const ended = (await join(work)) ?? (await pass(work, sent, isFirst && work.options.deletes));
    if (ended !== undefined) return ended;
    if (room.isWhole && work.progress.passes === 1) {
      const waited = await waitForTargets(work);
      if (waited !== undefined) return waited;
      await seed(room);
    }
    if (everyMs === undefined) break;
    const waited = await waitFor(work, began + everyMs - work.now());
    if (waited !== undefined) return waited;
  }
  const ended = await waitForTargets(work);
  if (ended !== undefined) return ended;
  await room.jobs.move(job.id, "done");
  return "done";
}

function workOf(
  room: IncrementalRoom,
  options: IncrementalOptions,
  progress: IncrementalProgress,
): IncrementalWork {
  const { claim, rows, images, targets, log, stop, now, sleep, maxAheadRows = defaultMaxAheadRows } = room;
  const work: IncrementalWork = {
    claim,
    rows,
    images,
    options,
    targets,
    flow: new Flow({
      barrier: () => log.barrier(barrierTimeoutMs),
      reached: () => reachedBy(room),
      maxAheadRows,
      sleep,
    }),
    pace: new Pace(options.maxRowsPerSecond),
    bounds: { ...defaultChunkBounds, maxRows: Math.min(defaultChunkBounds.maxRows, maxAheadRows) },
    stop,
    now,
    sleep,
    progress,
    told: (waitingFor) => room.onProgress?.(work.progress, waitingFor),
  };
  return work;
}

/** Targets that are new get every row before they share the others' cursors: what those passes read is behind theirs, too. */
async function join(work: IncrementalWork): Promise<Ended | undefined> {
  const { joining } = work.progress;
  if (joining === undefined) return undefined;
  for (const settings of work.options.tables) {
    const cursor = await cursorOf(work, settings, new SentRows(), joining.targets);
    if (at(cursor).readAt !== undefined && at(cursor).reading === undefined) continue;
    const ended = await readChanges(cursor);
    if (ended !== undefined) return ended;
  }
  const { joining: _, targets, ...rest } = work.progress;
  return keepAtLast(work, { ...rest, targets: [...targets, ...joining.targets] });
}

async function pass(
  work: IncrementalWork,
  sent: Map<string, SentRows>,
  comparesAll: boolean,
): Promise<Ended | undefined> {
  for (const settings of work.options.tables) {
    const id = tableId(settings.table);
    if (!sent.has(id)) sent.set(id, new SentRows());
    const cursor = await cursorOf(work, settings, sent.get(id)!);
    const ended = (await readChanges(cursor)) ?? (await noteUnmarked(cursor));
    if (ended !== undefined) return ended;
    if (!comparesAll && !isDue(cursor)) continue;
    const compared = await removeGone(cursor);
    if (compared !== undefined) return compared;
  }
  return keepAtLast(work, { ...work.progress, passes: work.progress.passes + 1 });
}

/** As the table is now: columns come and go while passes follow each other. */
async function cursorOf(
  work: IncrementalWork,
  settings: IncrementalTable,
  sent: SentRows,
  audience?: readonly string[],
): Promise<Cursor> {
  const surveyed = await work.rows.survey(settings.table);
  if (surveyed === undefined) {
    throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(settings.table)} is gone`);
  }
  judgeTable(surveyed, settings);
  const { column, kind, overlapMs, softDelete } = settings;
  const soft = softDelete === undefined ? {} : { softDelete };
  const watched = { schema: surveyed.schema, column, kind, overlapMs, ...soft };
  return { work, settings, watched, sent, ...(audience !== undefined && { audience }) };
}

async function noteUnmarked(cursor: Cursor): Promise<Ended | undefined> {
  const { hasUnmarked: before, ...table } = at(cursor);
  const hasUnmarked = await cursor.work.rows.hasUnmarked(cursor.watched);
  if (hasUnmarked === (before ?? false)) return undefined;
  const noted = { ...table, ...(hasUnmarked && { hasUnmarked }) };
  return keepAtLast(cursor.work, movedTo(cursor, noted));
}

/** Whether keys are to be compared now, or a comparison was not finished. */
function isDue(cursor: Cursor): boolean {
  const { comparing, comparedAt = 0, readAt = 0 } = at(cursor);
  const { deletesEveryMs = Infinity } = cursor.settings;
  return comparing !== undefined || readAt - comparedAt >= deletesEveryMs;
}
