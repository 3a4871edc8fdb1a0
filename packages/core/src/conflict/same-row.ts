import type { Cell, RowImage } from "../change-event.js";
import { cellAt } from "../mapping/mapped-column.js";
import type { ColumnSchema, TableSchema } from "../table-schema.js";
import { canonicalCell } from "./cell-order.js";

/** Whether two images of a schema are the same row, as far as both know it. */
export function isSameRow({ engine, columns }: TableSchema, one: RowImage, other: RowImage): boolean {
  const isSame = (column: ColumnSchema, a: Cell, b: Cell): boolean =>
    a === b ||
    a === 0 ||
    b === 0 ||
    (a !== null && b !== null && canonicalCell(engine, column, a) === canonicalCell(engine, column, b));
  return columns.every((column, i) => isSame(column, cellAt(one, i), cellAt(other, i)));
}
