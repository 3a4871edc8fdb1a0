/** A value as a mapping's functions see it, exact: integers as bigint, numerics, dates and times as canonical text (times with zone in UTC), JSON as text, bytes as bytes, NULL as null. */
export type MappedValue = string | bigint | number | boolean | Uint8Array | null;

/** A source row by column name. Reading a column that the table doesn't have throws. Give {@link mapTable} a type of your own to have columns typed. */
export type SourceRow = Readonly<Record<string, MappedValue>>;

/** Type of a computed or fixed column; which type of the target it becomes is in docs/type-mapping.md. */
export type MappedType =
  | "text"
  | `text(${number})`
  | "integer"
  | "numeric"
  | `numeric(${number},${number})`
  | "float"
  | "boolean"
  | "bytes"
  | "uuid"
  | "json"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz";

interface Computed<Row, Type extends MappedType, Value extends MappedValue> {
  readonly type: Type;
  /** Pure and synchronous: it may run again for the same row, and must give the same. What it throws makes the row a letter (TRANSFORM_FAILED). */
  value(row: Row): Value | null;
}

/** A column that a function makes of the whole row. */
export type ComputedColumn<Row = SourceRow> =
  | Computed<Row, "integer", bigint | number>
  | Computed<Row, "numeric" | `numeric(${number},${number})`, string | bigint>
  | Computed<Row, "float", number>
  | Computed<Row, "boolean", boolean>
  | Computed<Row, "bytes", Uint8Array>
  | Computed<
      Row,
      "text" | `text(${number})` | "uuid" | "json" | "date" | "time" | "timestamp" | "timestamptz",
      string
    >;

/** The same value in every row: a mask, or what tells the rows of several tables in one apart. */
export interface FixedColumn {
  readonly fixed: MappedValue;
  /** Default: text, integer or boolean, as the value is. */
  readonly type?: MappedType;
}

/** A keyed hash (HMAC-SHA-256, 64 hex digits) of a source column's canonical text; NULL stays NULL. Equal values have equal hashes in all tables, so joins still work. Needs `maskSecret`. */
export interface HashedColumn {
  readonly hash: string;
}

/**
 * What a column of the target holds. `true`: the source's column of that name; a text: the source's column of *that* name; `false`: the source's column
 * of that name is left out.
 */
export type ColumnMapping<Row = SourceRow> =
  boolean | string | HashedColumn | FixedColumn | ComputedColumn<Row>;

/** How a source table's rows become rows of a target's table. */
export interface TableMapping<Row = SourceRow> {
  /** The target's table. Default: the source's name. */
  readonly to?: string;
  /** By the target's column name; exactly these. `"*": true` adds every source column that isn't named here, now and in future. Default: all as they are. */
  readonly columns?: Readonly<Record<string, ColumnMapping<Row>>>;
  /**
   * The target's primary key, as names of its columns: copies or hashes of all of the source's key columns, and fixed ones. Default: the copies of the
   * source's key.
   */
  readonly key?: readonly string[];
  /** Rows for which it is false are not in the target: one that leaves is deleted there. Pure and synchronous. */
  where?(row: Row): boolean;
  /** A source column: rows in which it isn't NULL are not in the target. Default: a soft-deleted row is data like any other. */
  readonly softDeleted?: string;
}

/**
 * A target's mappings by source table (`namespace.name`, or `name` in any namespace). Several: one table into several, or several times into one.
 * `false`: not in this target. `"*": false`: neither is any table that isn't named. Tables that aren't named are mirrored as they are.
 */
export type TargetMapping = Readonly<Record<string, TableMapping | readonly TableMapping[] | false>>;

/** Types the rows that a mapping's functions see: `mapTable<{ id: bigint; total: string }>({ … })`. Returns what it is given. */
export function mapTable<Row>(mapping: TableMapping<Row>): TableMapping {
  // The source's catalog decides what a row holds; the type is the user's word for it.
  return mapping as unknown as TableMapping;
}
