import type { Engine } from "@lockstep/core";

/**
 * What a stored type is to a comparison, whatever the engine calls it. `json` and `json-text`: two texts of one document are the same value in
 * the first, and not in the second.
 */
export type StoredClass =
  | "number"
  | "float"
  | "bytes"
  | "bits"
  | "moment"
  | "date"
  | "time"
  | "interval"
  | "uuid"
  | "json"
  | "text"
  | "padded"
  | "other";

/**
 * The text that two columns are compared by:
 * - `stored`: both are of one type of one engine, and compared as they are stored
 * - `text`: what the database prints, `padded`: without the spaces at its end
 * - `number`: decimal, no zeros at the end of a fraction; a boolean is 0 or 1. `float`: digits and exponent
 * - `bytes`: lower-case hex. `moment`: in UTC, no zeros at the end of a fraction. `uuid`: lower case
 */
export type Form = "stored" | "text" | "padded" | "number" | "float" | "bytes" | "moment" | "uuid";

/** A type as one side's catalog has it. */
export interface StoredType {
  readonly engine: Engine;
  /** The full type, as `format_type` or `column_type` print it. */
  readonly type: string;
}

const classes: Readonly<Record<Engine, readonly (readonly [RegExp, StoredClass])[]>> = {
  postgres: [
    [/\[\]$/, "other"],
    [/^(boolean|smallint|integer|bigint|numeric(\(.*)?)$/, "number"],
    [/^(real|double precision)$/, "float"],
    [/^bytea$/, "bytes"],
    [/^bit\b/, "bits"],
    [/^timestamp\b/, "moment"],
    [/^date$/, "date"],
    [/^time(\(\d\))? without time zone$/, "time"],
    [/^interval$/, "interval"],
    [/^uuid$/, "uuid"],
    [/^jsonb?$/, "json"],
    [/^(text|name|bpchar|character|character varying(\(\d+\))?)$/, "text"],
    [/^character\(\d+\)$/, "padded"],
  ],
  mysql: [
    [/^(tinyint|smallint|mediumint|int|bigint|decimal|year)\b/, "number"],
    [/^(float|double)\b/, "float"],
    [/binary|blob|geometry|point|linestring|polygon|geomcollection/, "bytes"],
    [/^bit\b/, "bits"],
    [/^(datetime|timestamp)\b/, "moment"],
    [/^date$/, "date"],
    [/^time\b/, "time"],
    [/^uuid$/, "uuid"],
    [/^json$/, "json"],
    [/^char\b/, "padded"],
    [/^(varchar|enum|set)\b|text$/, "text"],
  ],
};

/** What a stored type is. Pure. */
export function classOf({ engine, type }: StoredType): StoredClass {
  const lower = type.toLowerCase();
  return classes[engine].find(([form]) => form.test(lower))?.[1] ?? "other";
}

const same: Readonly<Record<StoredClass, Form>> = {
  number: "number",
  float: "float",
  bytes: "bytes",
  bits: "text",
  moment: "moment",
  date: "text",
  time: "moment",
  interval: "moment",
  uuid: "uuid",
  json: "text",
  text: "text",
  padded: "padded",
  other: "text",
};

/** The text that stands for a value of one class, whatever the engine. Pure. */
export function sameForm(stored: StoredClass): Form {
  return same[stored];
}

/** Classes whose values MySQL prints as they are stored, so that one type has one text. */
const printsAlike: ReadonlySet<StoredClass> = new Set<StoredClass>([
  "number",
  "moment",
  "date",
  "time",
  "uuid",
  "text",
  "padded",
]);

/** Source classes whose printed text a text column holds as it is. */
const printed: ReadonlySet<StoredClass> = new Set<StoredClass>([
  "text",
  "padded",
  "bits",
  "json",
  "date",
  "interval",
  "other",
]);

/** How a source's column and the target's are compared; `undefined` when nothing tells whether they are equal. Pure. */
export function formOf(source: StoredType, target: StoredType): Form | undefined {
  const isOneEngine = source.engine === target.engine;
  const [from, to] = [classOf(source), classOf(target)];
  if (isOneEngine && source.type === target.type && (source.engine === "postgres" || printsAlike.has(from)))
    return "stored";
  // It keeps the text that it is given, unlike jsonb.
  if (
    target.engine === "postgres" &&
    target.type === "json" &&
    !isOneEngine &&
    (from === "text" || from === "json")
  )
    return "text";
  if (isOneEngine && target.type === "text[]" && source.type.endsWith("[]")) return "text";
  if (from === to) {
    // Another type of JSON, or an unknown one: one value may have two texts.
    return (from === "json" || from === "other") && !(isOneEngine && source.type === target.type)
      ? undefined
      : same[from];
  }
  if (from === "uuid" && (to === "text" || to === "padded")) return "uuid";
  if (to === "padded" && from === "text") return "padded";
  if (from === "time" && to === "interval") return "moment";
  if (to === "text" && (printed.has(from) || isOneEngine)) return "text";
  return undefined;
}
