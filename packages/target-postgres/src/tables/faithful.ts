import type { ColumnSchema } from "@lockstep/core";
import type { CatalogColumn } from "./catalog.js";

/** Says of a text, as the target reads it, whether the column keeps it as it is. */
export type KeepsText = (text: string) => boolean;

/**
 * PostgreSQL rounds, cuts and drops without a word what a narrower column can't hold: digits of a numeric, fractions of a second,
 * spaces at the end, the time of day. Such values are refused, never changed (P7).
 * @returns `undefined` when every value of the source's column fits, or the server itself refuses those that don't.
 */
export function keepsText(
  source: ColumnSchema,
  target: Pick<CatalogColumn, "type" | "castType">,
): KeepsText | undefined {
  if (source.type === target.type) return undefined;
  const size = sizeOf(target.type);
  switch (target.castType) {
    case "numeric":
      return size === undefined ? undefined : keepsDigits(source, scaleOf(target.type));
    case "money":
      return (text) => /^-?\$/.test(text) || fractionDigits(text) <= 2;
    case "real":
      return source.type === "real"
        ? undefined
        : (text) => significantDigits(text) <= 6 || isExactly(Math.fround, text);
    case "double precision":
      return source.kind === "float" ? undefined : (text) => significantDigits(text) <= 15;
    case "timestamp without time zone":
    case "timestamp with time zone":
    case "interval":
      return keepsFraction(source, size);
    case "time without time zone":
    case "time with time zone":
      return isMoment(source) ? () => false : keepsFraction(source, size);
    case "date":
      return isMoment(source)
        ? (text) => !/\d[ T]\d/.test(text) || / 00:00:00(?:[+ ]|$)/.test(text)
        : undefined;
    case "character varying":
      return size === undefined ? undefined : (text) => !text.endsWith(" ") || isWithin(text, size);
    case "bpchar":
      return source.type.startsWith("character(") ? undefined : (text) => !text.endsWith(" ");
    case "name":
      return (text) => Buffer.byteLength(text) <= 63;
    default:
      return undefined;
  }
}

function sizeOf(type: string): number | undefined {
  const size = /\((\d+)/.exec(type)?.[1];
  return size === undefined ? undefined : Number(size);
}

function scaleOf(type: string): number {
  return Number(/,(-?\d+)\)/.exec(type)?.[1] ?? 0);
}

function keepsDigits(source: ColumnSchema, scale: number): KeepsText | undefined {
  const most = source.kind === "integer" ? 0 : source.kind === "numeric" ? source.scale : undefined;
  if (most !== undefined && most <= scale) return undefined;
  return (text) => (scale < 0 ? trailingZeros(text) >= -scale : fractionDigits(text) <= scale);
}

function keepsFraction(source: ColumnSchema, precision: number | undefined): KeepsText | undefined {
  if (precision === undefined || precision >= 6) return undefined;
  if (source.precision !== undefined && source.precision <= precision) return undefined;
  return (text) => fractionDigits(text) <= precision;
}

function isMoment({ kind }: ColumnSchema): boolean {
  return kind === "timestamp" || kind === "timestamptz";
}

/** Digits behind the point, zeros at the end left out; an exponent moves the point. */
function fractionDigits(text: string): number {
  const match = /\.(\d*?)0*(?=\D|$)/.exec(text);
  const exponent = Number(/\d[eE]([+-]?\d+)$/.exec(text)?.[1] ?? 0);
  return Math.max(0, (match?.[1]?.length ?? 0) - exponent);
}

function trailingZeros(text: string): number {
  const digits = text.replace(/\..*$/, "");
  return /^-?0+$/.test(digits) ? Infinity : /0*$/.exec(digits)![0].length;
}

function significantDigits(text: string): number {
  const digits = text.replace(/[eE].*$/, "").replace(/[^\d]/g, "");
  return digits.replace(/^0+/, "").replace(/0+$/, "").length;
}

function isExactly(narrow: (value: number) => number, text: string): boolean {
  return narrow(Number(text)) === Number(text);
}

function isWithin(text: string, characters: number): boolean {
  // UTF-16 units are at least as many as characters.
  return text.length <= characters || [...text].length <= characters;
}
