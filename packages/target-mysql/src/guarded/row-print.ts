import { convertText, type RowImage, rowOfTexts } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import type { TargetColumn } from "../tables/catalog.js";
import type { TablePlan } from "../tables/mysql-table.js";

/** A row `t` as this database prints it: a JSON object of texts by column, as text. */
export function rowPrint({ columns, schema }: TablePlan): string {
  const pairs = columns.map(({ quoted, target, place }) => {
    const name = textLiteral(schema.columns[place]!.name);
    return `${name}, ${printed(target, `t.${quoted}`)}`;
  });
  return `CAST(JSON_OBJECT(${pairs.join(", ")}) AS CHAR)`;
}

/** As the outboxes print it; always a text, which JSON takes as it is. */
function printed({ type, fullType }: TargetColumn, value: string): string {
  if (/binary|blob/.test(type)) return `HEX(${value})`;
  if (type === "bit") return `LPAD(BIN(${value} + 0), ${/\d+/.exec(fullType)?.[0] ?? 1}, '0')`;
  // A FLOAT prints six digits.
  if (type === "float") return `CAST(CAST(${value} AS DOUBLE) AS CHAR)`;
  return `CONVERT(CAST(${value} AS CHAR) USING utf8mb4)`;
}

/** A print as an image of the table's schema, in the source's texts. */
export function readPrint({ schema, columns }: TablePlan, print: string): RowImage {
  const image = rowOfTexts(schema, print);
  if (schema.engine === "mysql") return image;
  const written = new Set(columns.map(({ place }) => place));
  return image.map((cell, at) =>
    typeof cell === "string" && written.has(at)
      ? convertText("mysql", schema.engine, schema.columns[at]!, cell)
      : cell,
  );
}
