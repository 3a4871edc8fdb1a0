import type { ChangeLog, Mapping, TableReader, TableSchema, Target } from "@lockstep/core";
import type { VerifyProgress } from "./progress.js";
import type { NamedRows } from "./report.js";

/** A source and one of its targets. */
export interface Compared {
  readonly source: {
    readonly name: string;
    readonly reader: TableReader;
    readonly log: Pick<ChangeLog, "barrier" | "incarnation">;
    /** The tables to be compared, as they are now. */
    readonly tables: readonly TableSchema[];
  };
  readonly target: Pick<Target, "name" | "checkpoints" | "letters" | "reader" | "held">;
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
  /** Put the texts of differing columns into the report. Default: no values. */
  readonly showsValues?: boolean;
  /** Columns of the source that the report shows nothing of, keys included. Default: none. */
  readonly hides?: (table: string, column: string) => boolean;
  /** How long a lane may take to apply what was committed, ms. Default 60000. */
  readonly passTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Go on from here. */
  readonly resume?: VerifyProgress;
  /** How often `onProgress` is told, ms. Default 1000. */
  readonly tellEveryMs?: number;
  /** Told now and then, and after each table, how far it is: keep it, and another process can go on from there. It is waited for; what it throws ends the work. */
  readonly onProgress?: (progress: VerifyProgress) => void | Promise<void>;
  /** Only the rows that this report names are looked at; they are judged anew. */
  readonly only?: NamedRows;
  /** Source of chance for the sample. */
  readonly random?: () => number;
}
