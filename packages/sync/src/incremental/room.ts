import type { ChangedRows, ClaimedJob, ImageWriter, RunStatement, WatchedColumn } from "@lockstep/core";
import type { ChunkBounds } from "../full/chunk-size.js";
import type { Flow } from "../full/flow.js";
import type { Pace } from "../full/pace.js";
import { stoppedBy, type Stopped } from "../full/room.js";
import type { SyncedTarget } from "../full/run-full-sync.js";
import {
  type IncrementalOptions,
  type IncrementalProgress,
  type IncrementalTable,
  type WatchedProgress,
  withWatched,
} from "./incremental-job.js";
import type { SentRows } from "./sent-rows.js";

/** Why work on a job ended before its time; `stopped`: this process was told to. */
export type Ended = Stopped | "stopped";

/** What the parts of an incremental sync share. */
export interface IncrementalWork {
  readonly claim: ClaimedJob;
  readonly rows: ChangedRows;
  readonly images: ImageWriter;
  readonly options: IncrementalOptions;
  /** In the order of the options. */
  readonly targets: readonly SyncedTarget[];
  readonly flow: Flow;
  readonly pace: Pace;
  readonly bounds: ChunkBounds;
  readonly settleMs: number;
  readonly stop: AbortSignal;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** As it was kept last. */
  progress: IncrementalProgress;
  /** Called when it moved, and when what it waits for changed. */
  readonly told: (waitingFor?: string) => void;
}

/** One table's cursor: for all targets, or for those that join. */
export interface Cursor {
  readonly work: IncrementalWork;
  readonly settings: IncrementalTable;
  readonly watched: WatchedColumn;
  readonly sent: SentRows;
  /** Only these targets, by id; absent: all. */
  readonly audience?: readonly string[];
}

/** Where a cursor stands. */
export function at({ work: { progress }, settings, audience }: Cursor): WatchedProgress {
  const tables = audience === undefined ? progress.tables : (progress.joining?.tables ?? []);
  const { namespace, name } = settings.table;
  return tables.find(({ table }) => table.namespace === namespace && table.name === name)!;
}

/** The progress with this cursor elsewhere. */
export function movedTo(
  { work: { progress }, audience }: Cursor,
  table: WatchedProgress,
): IncrementalProgress {
  if (audience === undefined) return { ...progress, tables: withWatched(progress.tables, table) };
  const { targets, tables } = progress.joining!;
  return { ...progress, joining: { targets, tables: withWatched(tables, table) } };
}

type Write = (run: RunStatement) => Promise<void>;

/**
 * One transaction of the outbox's database: what `write` writes, and how far it is then. Both are kept, or neither: killed at any instant, nothing is sent twice
 * and nothing is left out. `given-way`: to somebody's lock, to be tried again.
 */
export async function keep(
  work: IncrementalWork,
  progress: IncrementalProgress,
  write: Write,
): Promise<Ended | "given-way" | undefined> {
  try {
    const isKept = await work.claim.step(async (run) => {
      await write(run);
      return { progress };
    });
    if (!isKept) return stoppedBy(await work.claim.read()) ?? "lost";
  } catch (error) {
    if (!work.claim.yielded(error)) throw error;
    return "given-way";
  }
  work.progress = progress;
  return undefined;
}

/** The same, tried again when it gave way. */
export async function keepAtLast(
  work: IncrementalWork,
  progress: IncrementalProgress,
  write: Write = async () => undefined,
): Promise<Ended | undefined> {
  for (let refusals = 0; ; refusals++) {
    const kept = await keep(work, progress, write);
    if (kept !== "given-way") return kept;
    work.told("the outbox's database");
    await work.sleep(Math.min(1_000, 20 * 2 ** refusals));
  }
}
