import type { Cell } from "../change-event.js";
import type { ColumnSchema, Engine } from "../table-schema.js";
import { toCanonical } from "../value/canonical.js";

/** A cell's text in which equal values are equal texts, whatever column of whichever engine printed them. */
export function canonicalCell(engine: Engine, column: Pick<ColumnSchema, "kind">, text: string): string {
  const canonical = toCanonical(engine, column, text);
  switch (column.kind) {
    case "integer":
    case "numeric":
      return plainDecimal(canonical);
    case "float":
      return Number.isNaN(Number(canonical)) ? canonical : String(Number(canonical));
    case "json":
      // JavaScript would round a longer number.
      return /\d{16}/.test(canonical) ? canonical : sortedJson(canonical);
    default:
      return canonical;
  }
}

function plainDecimal(text: string): string {
  const [, sign, whole, fraction = ""] = /^([+-]?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const plain = fraction === "" ? whole : `${whole}.${fraction}`;
  return sign === "-" && plain !== "0" ? `-${plain}` : plain;
}

function sortedJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), sortKeys);
  } catch {
    return text;
  }
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Orders a column's cells by value, the same on every node: below zero when `one` is smaller. NULL, and what isn't known, is smaller than any value. */
export function compareCells(
  engine: Engine,
  column: Pick<ColumnSchema, "kind">,
  one: Cell,
  other: Cell,
): number {
  const [a, b] = [one, other].map((cell) =>
    typeof cell === "string" ? canonicalCell(engine, column, cell) : undefined,
  );
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (column.kind === "integer" || column.kind === "numeric") return compareDecimals(a, b);
  return compareLists(sortable(column, a), sortable(column, b));
}

type Sortable = readonly (string | number)[];

function sortable({ kind }: Pick<ColumnSchema, "kind">, text: string): Sortable {
  switch (kind) {
    case "float":
      return text === "NaN" ? [1, 0] : [0, Number(text)];
    case "date":
    case "timestamp":
    case "timestamptz":
      return momentParts(text);
    case "time":
      return timeParts(text);
    default:
      return [text];
  }
}

const decimal = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Decimals of any length; PostgreSQL's words for what isn't a number lie around them, NaN above all. */
function compareDecimals(one: string, other: string): number {
  const [a, b] = [decimal.exec(one), decimal.exec(other)];
  if (a === null || b === null) return rankOf(one, a !== null) - rankOf(other, b !== null);
  const scale = Math.max(a[3]?.length ?? 0, b[3]?.length ?? 0);
  const [x, y] = [scaled(a, scale), scaled(b, scale)];
  return x < y ? -1 : Number(x > y);
}

function scaled([, sign, whole = "0", fraction = ""]: RegExpExecArray, scale: number): bigint {
  const digits = BigInt(whole + fraction.padEnd(scale, "0"));
  return sign === "-" ? -digits : digits;
}

function rankOf(text: string, isNumber: boolean): number {
  if (isNumber) return 0;
  return text === "-Infinity" ? -1 : text === "Infinity" ? 1 : 2;
}

function momentParts(text: string): Sortable {
  if (text === "infinity" || text === "-infinity") return [text === "infinity" ? Infinity : -Infinity];
  const [, year = "0", rest = "", era] = /^(\d+)-(.*?)( BC)?$/.exec(text) ?? [];
  return [era === undefined ? Number(year) : -Number(year), rest];
}

function timeParts(text: string): Sortable {
  const [, sign, hours = "0", rest = ""] = /^(-?)(\d+):(.*)$/.exec(text) ?? [];
  const [minutes = "0", seconds = "0"] = rest.split(":");
  const parts = [Number(hours), Number(minutes), Number(seconds)];
  return sign === "-" ? parts.map((part) => -part) : parts;
}

function compareLists(one: Sortable, other: Sortable): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    if (one[i] !== other[i]) return one[i]! < other[i]! ? -1 : 1;
  }
  return one.length - other.length;
}
