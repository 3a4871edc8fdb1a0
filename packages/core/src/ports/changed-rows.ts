import type { Engine, TableSchema } from "../table-schema.js";
import type { RowNote, RunStatement, TransactionNote } from "./outbox.js";

/**
 * What the values of a change column are: a point in time, a number that only ever grows (a sequence, a counter of the whole table), or a point in
 * time as a number.
 */
export type ChangeKind = "timestamp" | "number" | "epoch-ms" | "epoch-s";

/** A table, and the column that says when its rows changed. */
export interface WatchedColumn {
  readonly schema: TableSchema;
  readonly column: string;
  readonly kind: ChangeKind;
  /** How far behind its moment a value may lie: clocks of writers, and what the source doesn't show of transactions. */
  readonly overlapMs: number;
  /** A column that isn't NULL, false or 0 in a row that counts as deleted. */
  readonly softDelete?: string;
}

/** A table as the source's catalog has it. */
export interface SurveyedTable {
  readonly schema: TableSchema;
  /** Columns that an index begins with. */
  readonly indexed: readonly string[];
  /** Tables (`namespace.name`) that its foreign keys point to, itself left out. */
  readonly parents: readonly string[];
  /** From the database's statistics; absent when it has none. */
  readonly estimatedRows?: number;
}

/**
 * Where reading goes on. `from`: at this value of the change column. `group`: among the rows with this value, behind this key. `behind`: above this value.
 * All texts as the source prints them.
 */
export type ChangePlace =
  | { readonly at: "start" }
  | { readonly at: "from"; readonly value: string }
  | { readonly at: "group"; readonly value: string; readonly key: readonly string[] }
  | { readonly at: "behind"; readonly value: string };

/** A row as it is committed now. */
export interface ReadRow {
  /** JSON array of texts, in key order. */
  readonly key: string;
  /** JSON array of texts; null: the row counts as deleted. */
  readonly image: string | null;
}

/** Rows in the order of change column and key. */
export interface ChangedPage {
  readonly rows: readonly ReadRow[];
  /** Of the last row; absent when there is none. */
  readonly last?: { readonly value: string; readonly key: readonly string[] };
}

/**
 * A moment of the source. Whatever a transaction writes that wasn't under way then has a change value at or above `value`; null: the table was empty.
 * `ticket` says which transactions were.
 */
export interface ChangeMark {
  readonly value: string | null;
  /** The highest change value that was there; null: the table was empty. */
  readonly highest: string | null;
  readonly ticket: string;
  /** Milliseconds since 1970, by the source's clock. */
  readonly at: number;
}

/**
 * Finds and reads the rows of tables that nobody captures, beside their writers: without locks, and without anything of ours in the source
 * (PROTOCOL.md 36). All that is read is committed, and a later call never sees an older state. One per engine. Connects on first use. Only tables that it has
 * surveyed are read, in the shape that they had then.
 */
export interface ChangedRows {
  readonly engine: Engine;
  /** `undefined`: there is no such table, or the role may not see it. */
  survey(table: RowNote["table"]): Promise<SurveyedTable | undefined>;
  mark(watched: WatchedColumn): Promise<ChangeMark>;
  /** Whether every transaction that was under way at a mark is over; `unseen`: the role may not see transactions. */
  ended(mark: ChangeMark): Promise<"ended" | "open" | "unseen">;
  /** Rows up to the change value `through`: without an end, a table that is written faster than it is read would be read for ever. Absent: to the last. */
  page(
    watched: WatchedColumn,
    place: ChangePlace,
    bounds: { readonly through?: string; readonly limit: number },
  ): Promise<ChangedPage>;
  /** Whether a row has no value in the change column: it is never found. */
  hasUnmarked(watched: WatchedColumn): Promise<boolean>;
  /** Those of these keys that no committed row has, or only one that counts as deleted. */
  absent(
    watched: WatchedColumn,
    keys: readonly (readonly string[])[],
  ): Promise<readonly (readonly string[])[]>;
  close(): Promise<void>;
}

/** Rows that were read elsewhere as `snapshot` events of an outbox, or as deletes. One per engine, in an open transaction of the outbox's database. */
export interface ImageWriter {
  /** Keeps the schemas that images follow, as far as the outbox doesn't know them. */
  register(run: RunStatement, schemas: readonly TableSchema[]): Promise<void>;
  append(
    run: RunStatement,
    schema: TableSchema,
    rows: readonly ReadRow[],
    transaction: TransactionNote,
  ): Promise<void>;
}
