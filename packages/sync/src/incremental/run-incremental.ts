import {
  type ChangedRows,
  type ChangeLog,
  type ClaimedJob,
  type ImageWriter,
  type JobStore,
} from "@lockstep/core";
import { defaultChunkBounds } from "../full/chunk-size.js";
import { Flow } from "../full/flow.js";
import { Pace } from "../full/pace.js";
import { reachedBy, seed, type SyncedTarget } from "../full/run-full-sync.js";
import type { IncrementalOptions, IncrementalProgress } from "./incremental-job.js";
import { join, pass } from "./passes.js";
import type { Ended, IncrementalWork } from "./room.js";
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
  /** How long the beginning of a pass waits for transactions under way, so that the next pass needn't read from before them. Default 1 s; less where passes follow each other. */
  readonly settleMs?: number;
  readonly onProgress?: (progress: IncrementalProgress, waitingFor?: string) => void;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How it ended: `done`, or what stopped it. */
export type IncrementalEnd = "done" | Ended;

const defaultMaxAheadRows = 20_000;
const maxSettleMs = 1_000;
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
    // By each process: the one before may have been killed between its first pass and this.
    if (room.isWhole && isFirst) {
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

/** A mark of a moment ago does nearly as well as one of now. */
function settleMsOf({ everyMs = Infinity }: IncrementalOptions): number {
  return Math.min(maxSettleMs, everyMs / 10);
}

function workOf(
  room: IncrementalRoom,
  options: IncrementalOptions,
  progress: IncrementalProgress,
): IncrementalWork {
  const { claim, rows, images, targets, log, stop, now, sleep } = room;
  const { maxAheadRows = defaultMaxAheadRows, settleMs = settleMsOf(options) } = room;
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
    settleMs,
    stop,
    now,
    sleep,
    progress,
    told: (waitingFor) => room.onProgress?.(work.progress, waitingFor),
  };
  return work;
}
