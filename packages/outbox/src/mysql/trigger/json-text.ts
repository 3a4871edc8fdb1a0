import { type ColumnSchema, plainTextKinds } from "@lockstep/core";
import { cellOf } from "../cell.js";
import { quoteName } from "../quote.js";

/** The expression for the JSON array of columns' texts of a trigger's row. */
export function jsonArray(columns: readonly ColumnSchema[], row: string): string {
  return arrayOf(columns, row, (text) => `JSON_QUOTE(${text})`);
}

/** Whether {@link jsonArray} can write these columns in another way than JavaScript and PostgreSQL do, or equal values in two ways (0 and -0). */
export function needsCanonical(columns: readonly ColumnSchema[]): boolean {
  return columns.some(({ kind }) => !plainTextKinds.has(kind) || kind === "float");
}

/**
 * The same, byte for byte as `JSON.stringify` writes it: MariaDB's JSON_QUOTE writes \u001F where others write \u001f, and equal keys must be equal texts.
 * Slow: to be used where {@link jsonArray} has given a `\u`.
 */
export function canonicalArray(columns: readonly ColumnSchema[], row: string): string {
  return arrayOf(columns, row, (text) => `CONCAT('"', ${escaped(text)}, '"')`);
}

/** Either, as one expression: by itself each row decides which. */
export function keyText(columns: readonly ColumnSchema[], row: string): string {
  const text = jsonArray(columns, row);
  if (!needsCanonical(columns)) return text;
  return `IF(LOCATE(X'5c75', ${text}) > 0, ${canonicalArray(columns, row)}, ${text})`;
}

function arrayOf(columns: readonly ColumnSchema[], row: string, quote: (text: string) => string): string {
  const cells = columns.map((column) => {
    const text = `CONVERT(${cellOf(column, row)} USING utf8mb4)`;
    const value = `${row}.${quoteName(column.name)}`;
    const quoted = plainTextKinds.has(column.kind) ? `CONCAT('"', ${text}, '"')` : quote(text);
    return column.nullable ? `IF(${value} IS NULL, 'null', ${quoted})` : quoted;
  });
  return `CONCAT('[', ${cells.join(", ',', ")}, ']')`;
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
