import type { ClaimedJob, Job, SnapshotWriter, TableSchema } from "@lockstep/core";
import type { ChunkBounds } from "./chunk-size.js";
import type { Flow } from "./flow.js";
import type { BulkRoom } from "./bulk/bulk-room.js";
import type { FullSyncOptions, FullSyncProgress, TableProgress } from "./full-sync-job.js";
import type { Pace } from "./pace.js";
import type { SyncedTarget } from "./run-full-sync.js";

/** How work on a job ended before its time. `lost`: the session is gone, or another process has the job. */
export type Stopped = "paused" | "cancelled" | "lost";

/** What the parts of a full sync share. */
export interface FullSyncWork {
  /** Name of the source. */
  readonly source: string;
  readonly claim: ClaimedJob;
  readonly snapshots: SnapshotWriter;
  readonly options: FullSyncOptions;
  /** In the order of the options. */
  readonly targets: readonly SyncedTarget[];
  /** Of the table named, as it is now. */
  readonly schemaOf: (table: { readonly namespace: string; readonly name: string }) => TableSchema;
  readonly flow: Flow;
  /** Absent: everything goes through the stream. */
  readonly bulk?: BulkRoom;
  readonly pace: Pace;
  readonly bounds: ChunkBounds;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** As it was kept last. */
  progress: FullSyncProgress;
  /** Called when it moved, and when what it waits for changed. */
  readonly told: (waitingFor?: string) => void;
}

/** Places of the targets that a table's rows are for. */
export function placesOf(
  { targets }: Pick<FullSyncWork, "targets">,
  table: Pick<TableProgress, "targets">,
): readonly number[] {
  return table.targets ?? targets.map((_, place) => place);
}

/** What a job's state says to whoever works on it. */
export function stoppedBy({ state }: Pick<Job, "state">): Stopped | undefined {
  if (state === "running") return undefined;
  return state === "paused" ? "paused" : state === "cancelled" ? "cancelled" : "lost";
}
