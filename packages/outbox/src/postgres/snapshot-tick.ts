import type { Tick } from "../tick.js";

/** A tick with the two snapshots its events lie between. */
export interface SnapshotTick extends Tick {
  /** Snapshot of the tick before. */
  readonly previous: string;
  readonly snapshot: string;
}
