import { plainTextKinds } from "@lockstep/core";
import { cellOf } from "../cell.js";
import { quoteName } from "../quote.js";
import type { TableShape } from "../table-shape.js";

const tab = "X'09'";
const nothing = "X'5C4E'";
/** Backslash first: the others bring one along. */
const escapes = [
  ["X'5C'", "X'5C5C'"],
  [tab, "X'5C74'"],
  ["X'0A'", "X'5C6E'"],
  ["X'0D'", "X'5C72'"],
] as const;

/**
 * The expression of a row's image as a line of COPY's text format, as bytes: one value a row is the least that driver and network can have to do with.
 * It is NULL when the line, or a cell of it, would be larger than the server's max_allowed_packet.
 */
export function lineOf({ schema }: Pick<TableShape, "schema">): string {
  return `CONCAT(${schema.columns.map(cell).join(`, ${tab}, `)})`;
}

// NULL is told by the column, not by its text: what is too large is NULL as well, and must not pass for a value.
function cell(column: Parameters<typeof cellOf>[0]): string {
  const text = cellOf(column);
  const escaped = plainTextKinds.has(column.kind)
    ? text
    : escapes.reduce((value, [from, to]) => `REPLACE(${value}, ${from}, ${to})`, text);
  return `IF(t.${quoteName(column.name)} IS NULL, ${nothing}, ${escaped})`;
}
