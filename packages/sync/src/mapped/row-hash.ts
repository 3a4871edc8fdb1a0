import { createHash } from "node:crypto";
import type { ComparedColumn } from "../digest/column.js";
import { rowParts } from "../digest/row-parts.js";

/** Canonical texts of a row's columns. */
export type Texts = readonly (string | null)[];
type Column = Pick<ComparedColumn, "form" | "part">;
type Part = (texts: Texts) => string | null;

/** Makes what an engine's `md5` hash of rows with these columns is, in the process. */
export function rowHasher(columns: readonly Column[]): (texts: Texts) => string {
  const textOf = rowText(columns);
  return (texts) => BigInt.asIntN(64, BigInt(`0x${md5(textOf(texts)).slice(0, 16)}`)).toString();
}

/** Makes what an engine's bucket of keys with these columns is. */
export function bucketer(key: readonly Column[]): (texts: Texts, buckets: number) => number {
  const textOf = rowText(key);
  return (texts, buckets) => (Number.parseInt(md5(textOf(texts)).slice(0, 8), 16) & (2 ** 31 - 1)) % buckets;
}

/** What the engines' dialects write as SQL. */
function rowText(columns: readonly Column[]): (texts: Texts) => string {
  const parts = rowParts<Column & { readonly at: number }, Part>(
    columns.map((column, at) => ({ ...column, at })),
    {
      part: partOf,
      nulls: (some) => (texts) =>
        String(some.reduce((bits, { at }, bit) => bits + (texts[at] === null ? 2 ** bit : 0), 0)),
      length:
        ({ at }) =>
        (texts) =>
          texts[at] === null ? null : String(Buffer.byteLength(texts[at]!)),
    },
  );
  return (texts) =>
    parts
      .map((part) => part(texts))
      .filter((part) => part !== null)
      .join("#");
}

function partOf({ form, part, at }: Column & { readonly at: number }): Part {
  const hashed = (of: (text: string) => string | Buffer): Part => {
    return (texts) => (texts[at] == null ? null : md5(of(texts[at])));
  };
  if (form === "bytes") return hashed((hex) => Buffer.from(hex, "hex"));
  return part === "long" ? hashed((text) => text) : (texts) => texts[at] ?? null;
}

function md5(data: string | Buffer): string {
  return createHash("md5").update(data).digest("hex");
}
