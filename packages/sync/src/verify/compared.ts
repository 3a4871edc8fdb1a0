import type { ChangeLog, Mapping, TableReader, TableSchema, Target } from "@lockstep/core";

/** A source and one of its targets. */
export interface Compared {
  readonly source: {
    readonly name: string;
    readonly reader: TableReader;
    readonly log: Pick<ChangeLog, "barrier">;
    /** The tables to be compared, as they are now. */
    readonly tables: readonly TableSchema[];
  };
  readonly target: Pick<Target, "name" | "checkpoints" | "letters" | "reader">;
  /** What becomes of the source's rows in the target; absent when they go as they are. */
  readonly mapping?: Mapping | undefined;
}

/** How two databases are compared. */
export interface VerifyOptions {
  /** Rows hashed by one statement on either side. Default 10000. */
  readonly sliceRows?: number;
  /** At most so many rows a second are read on either side. Default: as fast as it goes. */
  readonly maxRowsPerSecond?: number;
  /** Share of the slices that are compared, above 0 and up to 1. Default 1. */
  readonly sample?: number;
  /** How many differing rows of a table the report names; all are counted. Default 100. */
  readonly maxReported?: number;
  /** Put the texts of differing columns into the report, of columns for which this is true. Default: no values. */
  readonly showsValues?: (table: string, column: string) => boolean;
  /** How long a lane may take to apply what was committed, ms. Default 60000. */
  readonly passTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told now and then how many rows of a table were compared. */
  readonly onProgress?: (table: string, rows: number) => void;
  /** Source of chance for the sample. */
  readonly random?: () => number;
}
