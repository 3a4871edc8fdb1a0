import type { TargetColumn } from "./catalog.js";
import { writerOf, type WriteCell } from "./column-writer.js";

const bytesTypes = /binary|blob/;

/** An expression that prints a stored value of a column as text that {@link writeStored} takes. */
export function storedText(column: TargetColumn, expression: string): string {
  if (bytesTypes.test(column.type)) return `HEX(${expression})`;
  return column.type === "bit" ? `BIN(${expression})` : expression;
}

/** Writes the text of a stored value as a literal. */
export function writeStored(column: TargetColumn): WriteCell {
  const kind = bytesTypes.test(column.type) ? "bytes" : column.type === "bit" ? "bits" : "text";
  return writerOf("mysql", { kind, type: column.fullType }, column);
}
