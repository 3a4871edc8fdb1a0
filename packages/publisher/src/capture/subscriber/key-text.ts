import { assertNever, type ColumnSchema, type Engine, type TableSchema } from "@lockstep/core";
import { quoteName } from "./quote.js";

/** What is known of a key column. */
export type KeyColumn = Pick<ColumnSchema, "name" | "type" | "kind" | "length" | "precision" | "scale">;

/** The key columns of a table, in key order. */
export function keyColumnsOf(schema: TableSchema): KeyColumn[] {
  return schema.key.map((name) => schema.columns.find((column) => column.name === name)!);
}

/**
 * The SQL that prints a key column, in a statement where its table has no alias. The same text under any session settings; on MySQL
 * the very text that the outbox prints, which there writes deletes under the key as it was noted.
 */
function keyText(engine: Engine, column: KeyColumn): string {
  const name = quoteName(engine, column.name);
  return engine === "postgres"
    ? postgresText(column, name)
    : `CAST(CONVERT(${mysqlText(column, name)} USING utf8mb4) AS BINARY)`;
}

function postgresText({ kind, type }: KeyColumn, name: string): string {
  switch (kind) {
    case "text":
      // Cast to text, a char(n) loses its padding, and the outbox prints it.
      return /^(?:character\b(?! varying)|bpchar$)/.test(type)
        ? `textin(bpcharout(${name}))`
        : `${name}::text`;
    case "date":
    case "timestamp":
    case "timestamptz":
      // ISO whatever DateStyle says; microseconds included.
      return `(to_json(${name}) #>> '{}')`;
    case "boolean":
    case "integer":
    case "numeric":
    case "float":
    case "bytes":
    case "bits":
    case "uuid":
    case "json":
    case "enum":
    case "time":
    case "other":
      return `${name}::text`;
    default:
      return assertNever(kind);
  }
}

function mysqlText({ kind, type, length, precision }: KeyColumn, name: string): string {
  switch (kind) {
    case "bytes":
      return `HEX(${name})`;
    case "bits":
      return `LPAD(BIN(${name} + 0), ${length ?? 1}, '0')`;
    case "timestamptz":
      return utcText(name, precision ?? 0);
    case "float":
      return type.startsWith("float") ? `CAST(${name} AS DOUBLE)` : name;
    case "text":
      // With PAD_CHAR_TO_FULL_LENGTH a CHAR comes padded.
      return /^char\b/.test(type) ? `TRIM(TRAILING ' ' FROM ${name})` : name;
    case "boolean":
    case "integer":
    case "numeric":
    case "uuid":
    case "json":
    case "enum":
    case "date":
    case "time":
    case "timestamp":
    case "other":
      return name;
    default:
      return assertNever(kind);
  }
}

// From its seconds: what the session's zone prints is ambiguous in the hour that a clock change repeats.
function utcText(name: string, precision: number): string {
  const microseconds = `CAST(UNIX_TIMESTAMP(${name}) * 1000000 AS SIGNED)`;
  return `CAST(TIMESTAMPADD(MICROSECOND, ${microseconds}, '1970-01-01 00:00:00.000000') AS DATETIME(${precision}))`;
}

/** The name under which {@link keyList} gives a key column. */
export function keyAlias(index: number): string {
  return `lockstep_k${index}`;
}

/** A select or RETURNING list that gives the keys under names no column has. */
export function keyList(engine: Engine, keys: readonly KeyColumn[]): string {
  return keys
    .map((column, index) => `${keyText(engine, column)} AS ${quoteName(engine, keyAlias(index))}`)
    .join(", ");
}

/** Reads the key out of a row that {@link keyList} gave. */
export function readKey(keys: readonly KeyColumn[], row: Readonly<Record<string, unknown>>): string[] {
  return keys.map((_, index) => textOf(row[keyAlias(index)]));
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}

/** Takes the names of {@link keyList} out of a row, so that it is as the application's statement would have made it. */
export function stripKey(keys: readonly KeyColumn[], row: Record<string, unknown>): void {
  keys.forEach((_, index) => delete row[keyAlias(index)]);
}
