import { type ColumnKind, type Engine, assertNever, type TableSchema } from "@lockstep/core";
import { quoteName } from "./quote.js";

/** A key column and the SQL that prints it. */
export interface KeyColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** SQL expression of its text, for a statement in which the table has no alias. */
  readonly text: string;
}

/** The key columns of a table, in key order. */
export function keyColumnsOf(schema: TableSchema): KeyColumn[] {
  return schema.key.map((name) => {
    const kind = schema.columns.find((column) => column.name === name)?.kind ?? "other";
    return { name, kind, text: keyText(schema.engine, kind, quoteName(schema.engine, name)) };
  });
}

/** The SQL that prints a key column so that the text reads back as the same value under any session settings. */
export function keyText(engine: Engine, kind: ColumnKind, column: string): string {
  return engine === "postgres" ? postgresText(kind, column) : mysqlText(kind, column);
}

function postgresText(kind: ColumnKind, column: string): string {
  switch (kind) {
    case "date":
    case "timestamp":
    case "timestamptz":
      // ISO whatever DateStyle says; microseconds included.
      return `(to_json(${column}) #>> '{}')`;
    case "boolean":
    case "integer":
    case "numeric":
    case "float":
    case "text":
    case "bytes":
    case "bits":
    case "uuid":
    case "json":
    case "enum":
    case "time":
    case "other":
      return `${column}::text`;
    default:
      return assertNever(kind);
  }
}

function mysqlText(kind: ColumnKind, column: string): string {
  switch (kind) {
    case "bytes":
      return `HEX(${column})`;
    case "bits":
      return `BIN(${column})`;
    case "boolean":
    case "integer":
    case "numeric":
    case "float":
    case "text":
    case "uuid":
    case "json":
    case "enum":
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "other":
      return `CAST(${column} AS CHAR)`;
    default:
      return assertNever(kind);
  }
}

/** The name under which {@link keyList} gives a key column. */
export function keyAlias(index: number): string {
  return `lockstep_k${index}`;
}

/** A select or RETURNING list that gives the keys under names no column has. */
export function keyList(engine: Engine, keys: readonly KeyColumn[]): string {
  return keys.map((key, index) => `${key.text} AS ${quoteName(engine, keyAlias(index))}`).join(", ");
}

/** Reads the key out of a row that {@link keyList} gave. */
export function readKey(keys: readonly KeyColumn[], row: Readonly<Record<string, unknown>>): string[] {
  return keys.map((_, index) => String(row[keyAlias(index)]));
}

/** Takes the names of {@link keyList} out of a row, so that it is as the application's statement would have made it. */
export function stripKey(keys: readonly KeyColumn[], row: Record<string, unknown>): void {
  keys.forEach((_, index) => delete row[keyAlias(index)]);
}
