import { createHmac } from "node:crypto";
import type { Cell, RowImage } from "../change-event.js";
import type { ColumnSchema, TableSchema } from "../table-schema.js";
import { toCanonical } from "../value/canonical.js";
import { columnOfType, typeOfFixed } from "./mapped-type.js";
import { writeValue } from "./mapped-value.js";
import type { ComputedColumn, FixedColumn, SourceRow } from "./table-mapping.js";

/** A column of the target and where its cells come from; `at` is the source column's place. */
export type MappedColumn = { readonly schema: ColumnSchema } & (
  | { readonly from: "copy"; readonly at: number }
  | { readonly from: "hash"; readonly at: number; readonly hash: (text: string) => string }
  | { readonly from: "fixed"; readonly text: string | null }
  | { readonly from: "computed"; readonly value: (row: SourceRow) => string | null }
);

/** A source's column under a name of the target. */
export function copyOf(source: TableSchema, at: number, name: string): MappedColumn {
  return { schema: { ...source.columns[at]!, name }, from: "copy", at };
}

/** A source's column as a keyed hash: of the canonical text, so that equal values of different engines have one hash. */
export function hashOf(source: TableSchema, at: number, name: string, secret: string): MappedColumn {
  const { nullable, kind } = source.columns[at]!;
  const hash = (text: string): string =>
    createHmac("sha256", secret)
      .update(toCanonical(source.engine, { kind }, text))
      .digest("hex");
  return { schema: { name, nullable, ...columnOfType(source.engine, "text(64)") }, from: "hash", at, hash };
}

/** One value for all rows. @throws TypeError when it isn't of its type. */
export function fixedColumn(source: TableSchema, name: string, spec: FixedColumn): MappedColumn {
  const schema = { name, nullable: spec.fixed === null, ...columnOfType(source.engine, typeOfFixed(spec)) };
  return { schema, from: "fixed", text: writeValue(source.engine, schema, spec.fixed) };
}

/** A column that a function of the user's makes. */
export function computedColumn(source: TableSchema, name: string, spec: ComputedColumn): MappedColumn {
  const schema = { name, nullable: true, ...columnOfType(source.engine, spec.type) };
  const value = (row: SourceRow): string | null => writeValue(source.engine, schema, spec.value(row));
  return { schema, from: "computed", value };
}

/** The cell that a source image has at this place; unknown when the image is of an older schema. */
export function cellAt(image: RowImage, at: number): Cell {
  const cell = image[at];
  return cell === undefined ? 0 : cell;
}
