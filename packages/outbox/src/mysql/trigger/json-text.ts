import type { ColumnSchema } from "@lockstep/core";
import { cellOf } from "../cell.js";
import { quoteName } from "../quote.js";

/** The expression for the JSON array of columns' texts of a trigger's row, byte for byte as `JSON.stringify` writes it. Pure. */
export function jsonArray(columns: readonly ColumnSchema[], row: "NEW" | "OLD"): string {
  const cells = columns.map((column) => {
    const text = `CONVERT(${cellOf(column, row)} USING utf8mb4)`;
    const value = `${row}.${quoteName(column.name)}`;
    return column.nullable ? `IF(${value} IS NULL, 'null', ${quoted(text)})` : quoted(text);
  });
  return `CONCAT('[', ${cells.join(", ',', ")}, ']')`;
}

/** MariaDB's JSON_QUOTE writes \u001F where JavaScript and PostgreSQL write \u001f: equal keys must be equal texts. */
function quoted(text: string): string {
  return `IF(${text} REGEXP '[[:cntrl:]]', CONCAT('"', ${escaped(text)}, '"'), JSON_QUOTE(${text}))`;
}

/** Backslashes first: they stand before what the others become. Characters as bytes, so that sql_mode doesn't matter. */
function escaped(text: string): string {
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code));
  return ["\\", '"', ...controls].reduce(
    (inner, character) =>
      `REPLACE(${inner}, ${bytes(character)}, ${bytes(JSON.stringify(character).slice(1, -1))})`,
    text,
  );
}

function bytes(text: string): string {
  return `_utf8mb4 X'${Buffer.from(text).toString("hex")}'`;
}
