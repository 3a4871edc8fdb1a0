import type { ColumnKind, ColumnSchema } from "@lockstep/core";
import { quoteName, quoteText } from "./quote.js";

/**
 * The expression that gives a column's text of the row named `row` as UTF-8 bytes. It must not depend on the session: bytes are not converted to the
 * connection's charset on the way, and each type whose printing the session can change is printed in another way.
 */
export function cellOf(
  column: Pick<ColumnSchema, "name" | "type" | "kind" | "length" | "precision">,
  row = "t",
): string {
  const text = textOf(column, `${row}.${quoteName(column.name)}`);
  return ascii.has(column.kind)
    ? `CAST(${text} AS BINARY)`
    : `CAST(CONVERT(${text} USING utf8mb4) AS BINARY)`;
}

/** Kinds whose text is the same bytes in every charset a connection can have. */
const ascii: ReadonlySet<ColumnKind> = new Set<ColumnKind>([
  "boolean",
  "integer",
  "numeric",
  "float",
  "bytes",
  "bits",
  "date",
  "time",
  "timestamp",
  "timestamptz",
]);

function textOf({ type, kind, length, precision }: Parameters<typeof cellOf>[0], value: string): string {
  switch (kind) {
    case "timestamptz":
      return utcText(value, precision ?? 0);
    case "float":
      // A FLOAT prints six digits: 16777217 would arrive as 16777200 (PROTOCOL.md 12).
      return type.startsWith("float") ? `CAST(${value} AS DOUBLE)` : value;
    case "bits":
      return `LPAD(BIN(${value} + 0), ${length ?? 1}, '0')`;
    case "bytes":
      return `HEX(${value})`;
    case "text":
      // With PAD_CHAR_TO_FULL_LENGTH a CHAR comes padded, without it never with trailing spaces.
      return /^char\b/.test(type) ? `TRIM(TRAILING ' ' FROM ${value})` : value;
    default:
      return value;
  }
}

/**
 * A TIMESTAMP in UTC. From its seconds, not by converting what the session's time zone prints: an hour that a clock change
 * repeats is ambiguous there.
 */
function utcText(value: string, precision: number): string {
  const microseconds = `CAST(UNIX_TIMESTAMP(${value}) * 1000000 AS SIGNED)`;
  const zero = precision === 0 ? "0000-00-00 00:00:00" : `0000-00-00 00:00:00.${"0".repeat(precision)}`;
  const utc = `CAST(TIMESTAMPADD(MICROSECOND, ${microseconds}, '1970-01-01 00:00:00.000000') AS DATETIME(${precision}))`;
  // Not by its seconds: those of the zero value are NULL in a trigger, and with them the whole image would be.
  return `IF(${value} = 0, '${zero}', CAST(${utc} AS CHAR))`;
}

/** A key's text as a literal that compares by the column's own type, so that the primary key is used and nothing is rounded. */
export function keyLiteral(column: Pick<ColumnSchema, "kind">, text: string): string {
  switch (column.kind) {
    case "integer":
    case "numeric":
    case "boolean":
      // A string compared with a number would be compared as doubles.
      return /^-?\d+(\.\d+)?$/.test(text) ? text : quoteText(text);
    case "bytes":
      return /^([0-9a-f]{2})*$/i.test(text) ? `X'${text}'` : quoteText(text);
    case "bits":
      return /^[01]+$/.test(text) ? `b'${text}'` : quoteText(text);
    case "date":
      return `CAST(${quoteText(text)} AS DATE)`;
    case "time":
      return `CAST(${quoteText(text)} AS TIME(6))`;
    case "timestamp":
      return `CAST(${quoteText(text)} AS DATETIME(6))`;
    case "timestamptz":
      return `CONVERT_TZ(${quoteText(text)}, '+00:00', @@session.time_zone)`;
    default:
      return quoteText(text);
  }
}
