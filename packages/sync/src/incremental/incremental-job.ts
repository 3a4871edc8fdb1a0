import {
  type ChangeKind,
  type ChangeMark,
  type ChangePlace,
  type RowNote,
  tableId,
  type TableSchema,
} from "@lockstep/core";
import type { SyncTarget } from "../full/full-sync-job.js";

/** The kind of an incremental sync's job. */
export const incrementalKind = "incremental" as const;

/** A table, and how its changes are found; kept with the job. */
export interface IncrementalTable {
  readonly table: RowNote["table"];
  readonly column: string;
  readonly kind: ChangeKind;
  readonly overlapMs: number;
  readonly softDelete?: string;
  /** Keys are compared when so long has passed since it was done last. Default: only when asked for. */
  readonly deletesEveryMs?: number;
}

/** What an incremental sync was asked for; kept with its job. */
export interface IncrementalOptions {
  readonly targets: readonly SyncTarget[];
  /** Parents first. */
  readonly tables: readonly IncrementalTable[];
  /** Rows that the source doesn't have are looked for in the first pass. */
  readonly deletes: boolean;
  /** A pass begins so long after the one before has begun. Absent: there is one pass. */
  readonly everyMs?: number;
  /** At most this many rows are sent in a second. Default: as many as the targets take. */
  readonly maxRowsPerSecond?: number;
}

type Key = readonly string[];

/** How far one table is. Keys and change values are identifiers here; no other value of a row is kept. */
export interface WatchedProgress {
  readonly table: RowNote["table"];
  readonly column: string;
  /** Sent by this job. */
  readonly rows: number;
  /** Deletes of rows that only a target had. */
  readonly removed: number;
  /** The next pass reads from this change value on; absent: from the first row. */
  readonly since?: string;
  /** Moments behind `since` at which transactions were under way that weren't seen to end. The oldest first. */
  readonly marks: readonly ChangeMark[];
  /** A pass under way: where it goes on, up to which value, from where the one after it reads, and when it began. */
  readonly reading?: {
    readonly place: ChangePlace;
    readonly through?: string;
    readonly nextSince?: string;
    readonly at: number;
  };
  /** A comparison of keys under way: of the target with this id, of the table that it is mapped into. */
  readonly comparing?: { readonly target: string; readonly route: number; readonly after?: Key };
  /** When the last pass, or comparison of keys, that was completed had begun: milliseconds since 1970, by the source's clock. */
  readonly readAt?: number;
  readonly comparedAt?: number;
  /** Rows have no value in the change column: they are never found. */
  readonly hasUnmarked?: true;
}

/** How far an incremental sync is; the next job goes on from it. */
export interface IncrementalProgress {
  /** Ids of the targets that `tables` is about. */
  readonly targets: readonly string[];
  readonly tables: readonly WatchedProgress[];
  /** Targets that are new since then get everything first. */
  readonly joining?: { readonly targets: readonly string[]; readonly tables: readonly WatchedProgress[] };
  /** Passes that this job has finished. */
  readonly passes: number;
}

/**
 * Where a job begins, after the one before it: its cursors, as far as the table's change column is the same, and its targets as far as they are configured. What
 * wasn't finished then goes on. Pure.
 */
export function planIncremental(
  { targets, tables }: Pick<IncrementalOptions, "targets" | "tables">,
  before: IncrementalProgress | undefined,
): IncrementalProgress {
  const wanted = targets.map(({ id }) => id);
  const known = (before?.targets ?? []).filter((id) => wanted.includes(id));
  if (before === undefined || known.length === 0) {
    return { targets: wanted, tables: tables.map(freshTable), passes: 0 };
  }
  const others = before.tables.filter(({ table }) => !tables.some((one) => isSame(one.table, table)));
  const next = { targets: known, tables: [...tables.map((one) => carried(one, before.tables)), ...others] };
  const joining = wanted.filter((id) => !known.includes(id));
  if (joining.length === 0) return { ...next, passes: 0 };
  const isGoingOn = joining.every((id) => before.joining?.targets.includes(id));
  const copied = isGoingOn ? before.joining!.tables : [];
  return {
    ...next,
    joining: { targets: joining, tables: tables.map((one) => carried(one, copied)) },
    passes: 0,
  };
}

/** As if these targets had got nothing yet. Pure. */
export function without(
  before: IncrementalProgress | undefined,
  targets: readonly string[],
): IncrementalProgress | undefined {
  if (before === undefined) return undefined;
  const { joining: _, ...rest } = before;
  return { ...rest, targets: before.targets.filter((id) => !targets.includes(id)) };
}

/** Those that joined have got everything, and share the others' cursors. Pure. */
export function joined({ joining, ...rest }: IncrementalProgress): IncrementalProgress {
  if (joining === undefined) return rest;
  const tables = rest.tables.map((table) => {
    const rows = joining.tables.find((one) => isSame(one.table, table.table))?.rows ?? 0;
    return { ...table, rows: table.rows + rows };
  });
  return { ...rest, tables, targets: [...rest.targets, ...joining.targets] };
}

function carried(table: IncrementalTable, before: readonly WatchedProgress[]): WatchedProgress {
  const found = before.find((one) => isSame(one.table, table.table) && one.column === table.column);
  return found === undefined ? freshTable(table) : { ...found, rows: 0, removed: 0 };
}

function freshTable({ table, column }: IncrementalTable): WatchedProgress {
  return { table, column, rows: 0, removed: 0, marks: [] };
}

function isSame(a: Pick<TableSchema, "namespace" | "name">, b: Pick<TableSchema, "namespace" | "name">) {
  return tableId(a) === tableId(b);
}

/** The list with one table's in the place of its old one. Pure. */
export function withWatched(
  tables: readonly WatchedProgress[],
  table: WatchedProgress,
): readonly WatchedProgress[] {
  return tables.map((other) => (isSame(other.table, table.table) ? table : other));
}
