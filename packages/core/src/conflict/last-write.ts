import type { RowImage } from "../change-event.js";
import { cellAt } from "../mapping/mapped-column.js";
import type { TableSchema } from "../table-schema.js";
import type { Side } from "./conflict-policy.js";
import { canonicalCell, compareCells } from "./cell-order.js";
import { type Resolve, sideOf } from "./resolution.js";

/** The later write's row stays: by a column, or by the rows' versions. */
export function lastWrite(schema: TableSchema, column: string | undefined): Resolve | readonly string[] {
  if (column === undefined)
    return ["lastWriteWins: needs a column: only two-way sync keeps versions of rows"];
  const at = schema.columns.findIndex(({ name }) => name === column);
  if (at < 0) return [`lastWriteWins: there is no column ${column}`];
  return (sides) => sideOf(sides, laterOf(schema, at, sides.source!, sides.target!));
}

function laterOf(schema: TableSchema, at: number, source: RowImage, target: RowImage): Side {
  const column = schema.columns[at]!;
  const order =
    compareCells(schema.engine, column, cellAt(source, at), cellAt(target, at)) ||
    // Equal: an order of the rows themselves, which is the same whichever of them is called the source.
    compareTexts(textOf(schema, source), textOf(schema, target));
  return order < 0 ? "target" : "source";
}

function textOf({ engine, columns }: TableSchema, image: RowImage): string {
  const cells = columns.map((column, i) => {
    const cell = image[i];
    return typeof cell === "string" ? canonicalCell(engine, column, cell) : null;
  });
  return JSON.stringify(cells);
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
