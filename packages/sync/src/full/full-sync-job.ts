import { type SnapshotTable, tableId } from "@lockstep/core";
import { parentsFirst } from "./parents-first.js";

/** The kind of a full sync's job. */
export const fullSyncKind = "full";

/** A target of a full sync, as the source knows it. */
export interface SyncTarget {
  /** The uuid that was made in the target. */
  readonly id: string;
  readonly name: string;
}

/** What a full sync was asked for; kept with its job. */
export interface FullSyncOptions {
  readonly targets: readonly SyncTarget[];
  /** A condition on the rows of the one table that is copied. Rows that don't meet it stay in the targets as they are. */
  readonly where?: string;
  /** Rows that the source doesn't have stay in the targets. Default false. */
  readonly keepExtra: boolean;
  /** At most this many rows are copied in a second. Default: as many as the targets take. */
  readonly maxRowsPerSecond?: number;
  /** All captured tables are copied, whole: the targets are seeded afterwards. */
  readonly isWhole: boolean;
  /** Everything goes through the stream, into empty tables too. Default false. */
  readonly throughStream?: boolean;
  /** A target's changes wait for at most so long at a time while rows are copied past the stream, ms. Default five minutes. */
  readonly holdMs?: number;
  /** Names of the targets that first begin anew; such a job pauses where another would fail, as nothing else copies what they have passed by. */
  readonly anew?: readonly string[];
}

type Key = readonly string[];

/** How far one table is, or what of it goes another way than the rest. Keys are identifiers, as in letters; no other value of a row is kept. */
export type TableProgress = {
  readonly table: { readonly namespace: string; readonly name: string };
  readonly estimatedRows?: number;
  readonly estimatedRowBytes?: number;
  /** Copied. */
  readonly rows: number;
  /** Rows that were removed from targets. */
  readonly removed: number;
  /** Places of the targets that it is for; absent: all. */
  readonly targets?: readonly number[];
  /** Extra rows aren't looked for: they had no rows of it when it began, or another part of the table looks for them. */
  readonly noExtra?: true;
} &
  /** Goes past the stream, to one target. */
  (
    | { readonly phase: "loading"; readonly after?: Key; readonly through: Key }
    | { readonly phase: "copying"; readonly after?: Key; readonly through: Key }
    | { readonly phase: "copied" }
    /** Looks for rows that the source doesn't have: `target` is the place of the one under way, `route` that of the table there which it is mapped into. */
    | { readonly phase: "removing"; readonly target: number; readonly route?: number; readonly after?: Key }
    | { readonly phase: "done" }
  );

/** How far a full sync is; kept with its job. */
export interface FullSyncProgress {
  /** Parents first. */
  readonly tables: readonly TableProgress[];
  /** The targets that are to begin anew have, and `tables` were surveyed after it. */
  readonly begun?: true;
  /** Places of the targets of which it is decided what goes to them past the stream. */
  readonly planned?: readonly number[];
}

/** Where a full sync of these tables begins: parents first, so that a child's row finds its parent. Pure. */
export function planFullSync(surveyed: readonly SnapshotTable[]): FullSyncProgress {
  const ordered = parentsFirst(surveyed, ({ table }) => tableId(table));
  return {
    tables: ordered.map(({ table, estimatedRows, estimatedRowBytes, through }) => ({
      table,
      rows: 0,
      removed: 0,
      ...(estimatedRows !== undefined && { estimatedRows }),
      ...(estimatedRowBytes !== undefined && { estimatedRowBytes }),
      ...(through === undefined ? { phase: "copied" } : { phase: "copying", through }),
    })),
  };
}

/** The progress with one table's in the place of its old one. Pure. */
export function withTable(progress: FullSyncProgress, place: number, table: TableProgress): FullSyncProgress {
  return { ...progress, tables: progress.tables.map((other, i) => (i === place ? table : other)) };
}
