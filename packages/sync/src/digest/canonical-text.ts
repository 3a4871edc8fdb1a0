import { type ColumnSchema, type Engine, toCanonical } from "@lockstep/core";
import type { Form } from "./form.js";

/** A column whose texts are put into a form. */
export interface FormedColumn {
  readonly column: Pick<ColumnSchema, "kind">;
  readonly form: Form;
  /** Of the side whose text it is to be. */
  readonly type: string;
}

/** The text, in its form, of a value as a source of this engine prints it: what that side's database would give. Pure. */
export function canonicalText(engine: Engine, { column, form, type }: FormedColumn, text: string): string {
  if (form === "stored") return text;
  const canonical = toCanonical(engine, column, text);
  switch (form) {
    case "number":
      if (column.kind === "boolean") return canonical === "true" ? "1" : "0";
      return decimalText(canonical, scaleOf(type));
    case "float":
      return floatText(canonical);
    case "uuid":
      return uuidText(canonical);
    case "padded":
      return canonical.replace(/ +$/, "");
    default:
      return canonical;
  }
}

function scaleOf(type: string): number {
  return Number(/^(?:numeric|decimal)\(\d+,(\d+)\)/.exec(type)?.[1] ?? Infinity);
}

/** Rounded as both engines round, without zeros that say nothing. */
function decimalText(text: string, scale: number): string {
  const [, sign, whole, fraction = ""] = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  const kept = fraction.slice(0, Math.min(scale, fraction.length));
  const up = fraction.length > scale && fraction[scale]! >= "5" ? 1n : 0n;
  const digits = (BigInt(whole + kept) + up).toString().padStart(kept.length + 1, "0");
  const at = digits.length - kept.length;
  const trimmed = `${digits.slice(0, at)}.${digits.slice(at)}`.replace(/\.?0*$/, "");
  return sign === "-" && trimmed !== "0" ? `-${trimmed}` : trimmed;
}

/** What `floatText` of digest/ writes as SQL. */
function floatText(text: string): string {
  if (text.includes("n")) return text;
  const [mantissa = "", exponent = "0"] = text.split("e");
  const digits = mantissa.replace("-", "").replace(".", "");
  const significant = digits.replace(/^0+/, "");
  const place =
    mantissa.replace("-", "").split(".")[0]!.length + Number(exponent) - (digits.length - significant.length);
  const short = significant.replace(/0+$/, "");
  return short === "" ? "0" : `${mantissa.startsWith("-") ? "-" : ""}0.${short}e${place}`;
}

/** Braces and missing hyphens are PostgreSQL's own ways to write one. */
function uuidText(text: string): string {
  const hex = text.toLowerCase().replace(/[{}-]/g, "");
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") : text;
}
