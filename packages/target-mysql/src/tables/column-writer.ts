import { convertText, LockstepError, type ColumnKind, type ColumnSchema, type Engine } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import type { TargetColumn } from "./catalog.js";
import { enumMembers } from "./enum-members.js";

/** Writes a cell's text as a literal of its target column. Throws LockstepError TARGET_VALUE. */
export type WriteCell = (text: string) => string;

// As a database prints numbers: without leading zeros, which would be lost.
const wholeNumber = /^-?(0|[1-9]\d{0,63})$/;
const fixedNumber = /^-?(0|[1-9]\d{0,39})(\.\d{1,25})?$/;
const floatSource = /^(real|float)/i;
const dated: ReadonlySet<ColumnKind> = new Set<ColumnKind>(["date", "timestamp", "timestamptz"]);
/** ZEROFILL only prints: the zeros in front are no part of the number. */
const zeroFilled = /zerofill/i;
/** CHAR(n) of either engine: spaces at its end mean nothing. */
const paddedSource = /^(char|character|bpchar)(\(|$)/i;

/**
 * Makes the writer of one column. It refuses what the server would change **without any warning** (seen on MariaDB 10.11, strict mode):
 * fractions into integers and into DATETIME(n), trailing spaces of CHAR, short values of BINARY, an ENUM's index given as text,
 * doubles into FLOAT. All else that doesn't fit is an error or a warning of the server (`session/warnings.ts`).
 *
 * Numbers stay texts; they are written without quotes because a quoted one in an IN list may be compared as a DOUBLE, and two large
 * keys would be the same.
 */
export function writerOf(
  from: Engine,
  source: Pick<ColumnSchema, "kind" | "type">,
  target: TargetColumn,
): WriteCell {
  const literal = literalOf(from, source, target);
  if (zeroFilled.test(source.type)) return (text) => literal(text.replace(/^0+(?=\d)/, ""));
  return from === "mysql" ? literal : (text) => literal(convertText(from, "mysql", source, text));
}

function literalOf(
  from: Engine,
  source: Pick<ColumnSchema, "kind" | "type">,
  target: TargetColumn,
): WriteCell {
  if (source.kind === "bytes") return bytesWriter(target);
  const sameType = from === "mysql" && source.type.toLowerCase() === target.fullType.toLowerCase();
  switch (target.type) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
      return (text) => integerLiteral(text, target);
    case "year":
      return (text) => yearLiteral(text, target);
    case "decimal":
      return (text) => decimalLiteral(text, target);
    case "bit":
      return source.kind === "bits"
        ? (text) => bitsLiteral(text, target)
        : (text) => integerLiteral(text, target);
    case "float":
      return sameType || floatSource.test(source.type) ? textLiteral : (text) => floatLiteral(text, target);
    case "double":
      return (text) => (source.kind === "float" ? finiteLiteral : doubleLiteral)(text, target);
    case "date":
    case "datetime":
    case "timestamp":
      return dated.has(source.kind)
        ? (text) => dateLiteral(text, target)
        : (text) => timeLiteral(text, target);
    case "time":
      return (text) => timeLiteral(text, target);
    case "char":
      return sameType || paddedSource.test(source.type) ? textLiteral : (text) => charLiteral(text, target);
    case "enum":
    case "set":
      return sameType ? textLiteral : membersWriter(target);
    default:
      return textLiteral;
  }
}

function integerLiteral(text: string, target: TargetColumn): string {
  if (wholeNumber.test(text)) return text;
  // 12.00 is 12; 12.5 would be rounded.
  const whole = /^(-?(?:0|[1-9]\d{0,63}))\.0+$/.exec(text)?.[1];
  if (whole === undefined) throw refused(target);
  return whole;
}

// Digits that the column hasn't got are refused here, not by the server: in a condition it would round them, and find another row.
function decimalLiteral(text: string, target: TargetColumn): string {
  const [, whole, fraction] = /^-?(\d+)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  const scale = target.scale ?? 0;
  const fits =
    whole !== undefined &&
    whole.replace(/^0+/, "").length <= (target.precision ?? 10) - scale &&
    (fraction ?? "").length <= scale;
  if (!fits || /^-?0\d/.test(text)) throw refused(target);
  return fixedNumber.test(text) ? text : textLiteral(text);
}

// Without quotes, because '0' would be the year 2000.
function yearLiteral(text: string, target: TargetColumn): string {
  if (!/^\d{4}$/.test(text)) throw refused(target);
  return text;
}

function bitsLiteral(text: string, target: TargetColumn): string {
  if (!/^[01]+$/.test(text)) throw refused(target);
  return `b'${text}'`;
}

function bytesWriter(target: TargetColumn): WriteCell {
  return (hex) => {
    if (!/^([0-9a-f]{2})*$/i.test(hex)) throw refused(target);
    // BINARY(n) would be filled with zero bytes.
    if (target.type === "binary" && hex.length !== (target.length ?? 0) * 2) throw refused(target);
    return `x'${hex}'`;
  };
}

// The numbers here only decide; the value travels as its text.
function floatLiteral(text: string, target: TargetColumn): string {
  const number = Number(text);
  if (Number.isFinite(number) && Math.fround(number) !== number) throw refused(target);
  return textLiteral(text);
}

// In a condition the server takes "NaN" for 0, and would find the row of 0.
function finiteLiteral(text: string, target: TargetColumn): string {
  if (!Number.isFinite(Number(text))) throw refused(target);
  return textLiteral(text);
}

function doubleLiteral(text: string, target: TargetColumn): string {
  const digits = text.replace(/^-|\.|e.*$/gi, "").replace(/^0+|0+$/g, "");
  if (digits.length > 15) throw refused(target);
  return textLiteral(text);
}

// Infinity, years before 1 and of more than four digits: an error of the server also where a row with such a key is only removed.
function dateLiteral(text: string, target: TargetColumn): string {
  if (!/^\d{4}-\d\d-\d\d(?: [\d:.]+)?$/.test(text)) throw refused(target);
  return timeLiteral(text, target);
}

function timeLiteral(text: string, target: TargetColumn): string {
  const digits = /\.(\d*?)0*$/.exec(text)?.[1]?.length ?? 0;
  if (digits > (target.fraction ?? 0)) throw refused(target);
  return textLiteral(text);
}

function charLiteral(text: string, target: TargetColumn): string {
  if (text.endsWith(" ")) throw refused(target);
  return textLiteral(text);
}

function membersWriter(target: TargetColumn): WriteCell {
  const members = new Set(enumMembers(target.fullType));
  return (text) => {
    const parts = target.type === "set" && text !== "" ? text.split(",") : [text];
    const known = target.type === "set" && text === "" ? true : parts.every((part) => members.has(part));
    if (!known) throw refused(target);
    return textLiteral(text);
  };
}

function refused(target: TargetColumn): LockstepError {
  return new LockstepError(
    "TARGET_VALUE",
    `column ${target.name} (${target.type}) can't hold the value as it is`,
    {
      details: { about: target.name },
    },
  );
}
