import { assertNever } from "../assert-never.js";
import type { ColumnSchema, Engine } from "../table-schema.js";
import { fromCanonical, toCanonical } from "../value/canonical.js";
import type { MappedValue } from "./table-mapping.js";

/** A cell's text as a function of a mapping sees it. @throws TypeError when the text has no exact value of that kind. */
export function readValue(engine: Engine, column: Pick<ColumnSchema, "kind">, text: string): MappedValue {
  const canonical = toCanonical(engine, column, text);
  switch (column.kind) {
    case "boolean":
      return readBoolean(canonical);
    case "integer":
      return BigInt(canonical);
    case "float":
      return Number(canonical);
    case "bytes":
      return Uint8Array.from(Buffer.from(canonical, "hex"));
    case "numeric":
    case "text":
    case "bits":
    case "uuid":
    case "json":
    case "enum":
    case "date":
    case "time":
    case "timestamp":
    case "timestamptz":
    case "other":
      return canonical;
    default:
      return assertNever(column.kind);
  }
}

/** The cell of what a function gave. @throws TypeError when it isn't a value of the column's type; the message never holds it. */
export function writeValue(
  engine: Engine,
  column: Pick<ColumnSchema, "kind">,
  value: unknown,
): string | null {
  if (value === null) return null;
  const canonical = canonicalOf(column, value);
  if (canonical === undefined) {
    throw new TypeError(`${kindOf(value)} is no value for ${column.kind}`);
  }
  return fromCanonical(engine, column, canonical);
}

const number = /^-?\d+(\.\d+)?$/;
const date = /^\d{4,}-\d\d-\d\d( BC)?$/;
const time = /^\d\d:\d\d:\d\d(\.\d{1,6})?$/;
const moment = /^\d{4,}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?( BC)?$/;

function canonicalOf({ kind }: Pick<ColumnSchema, "kind">, value: unknown): string | undefined {
  switch (kind) {
    case "boolean":
      return typeof value === "boolean" ? String(value) : undefined;
    case "integer":
      return typeof value === "bigint" || Number.isSafeInteger(value) ? String(value) : undefined;
    case "float":
      return typeof value === "number" ? (Object.is(value, -0) ? "-0" : String(value)) : undefined;
    case "bytes":
      return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : undefined;
    case "numeric":
      return typeof value === "bigint" ? String(value) : matching(number, value);
    case "date":
      return matching(date, value);
    case "time":
      return matching(time, value);
    case "timestamp":
      return matching(moment, value)?.replace("T", " ");
    case "timestamptz":
      return matching(moment, typeof value === "string" ? value.replace(/Z$/, "") : value)?.replace("T", " ");
    case "json":
      return typeof value === "string" && isJson(value) ? value : undefined;
    case "text":
    case "bits":
    case "uuid":
    case "enum":
    case "other":
      return typeof value === "string" ? value : undefined;
    default:
      return assertNever(kind);
  }
}

// A tinyint(1) can hold 2, which is neither.
function readBoolean(canonical: string): boolean {
  if (canonical !== "true" && canonical !== "false")
    throw new TypeError("the value is neither true nor false");
  return canonical === "true";
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return "undefined";
  return value instanceof Promise ? "a Promise" : `this ${typeof value}`;
}
