import type { KeyColumn } from "./key-text.js";

/**
 * MySQL: the expression with one `?` that turns a key's text, as it was noted, into a value that its column compares with exactly. An
 * integer is to be bound as {@link keyParameter} gives it: compared with a text it would be compared as a float.
 */
export function keyPlaceholder({ kind }: KeyColumn): string {
  switch (kind) {
    case "bytes":
      return "UNHEX(?)";
    case "bits":
      return "CONV(?, 2, 10)";
    case "timestamptz":
      return "CONVERT_TZ(?, '+00:00', @@session.time_zone)";
    default:
      return "?";
  }
}

/** What to bind for a key's text. */
export function keyParameter({ kind }: KeyColumn, text: string): unknown {
  return kind === "integer" ? BigInt(text) : text;
}

/**
 * MySQL: the expression with one `?` that finds the row into which an application's value was written: rounded as the column rounded it.
 */
export function valuePlaceholder({ kind, precision, scale }: KeyColumn): string {
  switch (kind) {
    case "timestamp":
    case "timestamptz":
      return `CAST(? AS DATETIME(${precision ?? 0}))`;
    case "time":
      return `CAST(? AS TIME(${precision ?? 0}))`;
    case "numeric":
      return precision === undefined ? "?" : `CAST(? AS DECIMAL(${precision}, ${scale ?? 0}))`;
    default:
      return "?";
  }
}
