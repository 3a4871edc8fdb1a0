import type { BulkReader } from "@lockstep/core";

/** What the way past the stream needs. */
export interface BulkRoom {
  readonly reader: BulkReader;
  /** True where positions are those of the database's own log, in which a transaction is before others see its rows. */
  readonly readsLog: boolean;
  /** Of the source. */
  readonly partitions: number;
  /** Tells a lane to look what has become of it. Best effort. */
  readonly nudge: (lane: { readonly target: string; readonly partition: number }) => Promise<void>;
}
