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
      return sortedJson(canonical);
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
