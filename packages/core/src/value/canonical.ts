import { assertNever } from "../assert-never.js";
import type { ColumnSchema, Engine } from "../table-schema.js";

/**
 * The text that stands for one value whatever the engine, per column kind. Inside one engine nothing is converted; between engines a cell goes
 * source text → canonical → target text. The forms that outboxes print (image text) and targets read back are:
 *
 * | kind | PostgreSQL image | MySQL image | canonical |
 * |---|---|---|---|
 * | boolean | `true` / `false` | `1` / `0` | `true` / `false` |
 * | bytes | `\x` and lower-case hex | upper-case hex | lower-case hex |
 * | bits | `0101` | `0101` (padded to the length) | `0101` |
 * | timestamptz | `2026-01-02 03:04:05.6+00` (session in UTC) | `2026-01-02 03:04:05.600000` (session in UTC) | `2026-01-02 03:04:05.6` |
 * | timestamp, time | fraction without trailing zeros | fraction padded | fraction without trailing zeros |
 * | uuid | lower case | as written | lower case |
 * | all others | as printed | as printed | as printed |
 */
export function toCanonical(engine: Engine, column: Pick<ColumnSchema, "kind">, text: string): string {
  switch (column.kind) {
    case "boolean":
      return engine === "postgres" ? text : mysqlBoolean(text);
    case "bytes":
      return engine === "postgres" ? text.slice(2) : text.toLowerCase();
    case "timestamptz":
      return trimFraction(engine === "postgres" ? text.replace(/\+00(?=$| BC$)/, "") : text);
    case "timestamp":
    case "time":
      return trimFraction(text);
    case "uuid":
      return text.toLowerCase();
    case "bits":
    case "integer":
    case "numeric":
    case "float":
    case "text":
    case "json":
    case "enum":
    case "date":
    case "other":
      return text;
    default:
      return assertNever(column.kind);
  }
}

/** The inverse of {@link toCanonical}: the text that `engine` takes as a literal or text parameter for that kind. */
export function fromCanonical(engine: Engine, column: Pick<ColumnSchema, "kind">, canonical: string): string {
  switch (column.kind) {
    case "boolean":
      return engine === "postgres" ? canonical : postgresBoolean(canonical);
    case "bytes":
      return engine === "postgres" ? `\\x${canonical}` : canonical.toUpperCase();
    case "timestamptz":
      return engine === "postgres" && /^\d/.test(canonical) ? withZone(canonical) : canonical;
    case "timestamp":
    case "time":
    case "uuid":
    case "bits":
    case "integer":
    case "numeric":
    case "float":
    case "text":
    case "json":
    case "enum":
    case "date":
    case "other":
      return canonical;
    default:
      return assertNever(column.kind);
  }
}

/** One cell's text for another engine. */
export function convertText(
  from: Engine,
  to: Engine,
  column: Pick<ColumnSchema, "kind">,
  text: string,
): string {
  return from === to ? text : fromCanonical(to, column, toCanonical(from, column, text));
}

// Anything but 0 and 1 stays as it is, so that the target refuses it instead of storing another value.
function mysqlBoolean(text: string): string {
  return text === "1" ? "true" : text === "0" ? "false" : text;
}

function postgresBoolean(text: string): string {
  return text === "true" ? "1" : text === "false" ? "0" : text;
}

function trimFraction(text: string): string {
  return text.replace(/\.(\d*?)0+(?=$|[^\d])/, (_, digits: string) => (digits === "" ? "" : `.${digits}`));
}

function withZone(text: string): string {
  return text.endsWith(" BC") ? `${text.slice(0, -3)}+00 BC` : `${text}+00`;
}
