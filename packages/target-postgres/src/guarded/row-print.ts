import { convertText, type RowImage, rowOfTexts } from "@lockstep/core";
import { rowHash } from "../letters/letter-row.js";
import { arrayText, quoteText } from "../sql/quote.js";
import type { PostgresTable } from "../tables/postgres-table.js";

/** A row `t` as this database prints it: a JSON object of texts by column, as text. */
export function rowPrint({ columns }: PostgresTable): string {
  const names = columns.map(({ name }) => quoteText(name)).join(", ");
  const texts = columns.map(({ quoted }) => `t.${quoted}::text`).join(", ");
  // Arrays, because a function takes no more than 100 arguments.
  return `json_object(array[${names}]::text[], array[${texts}])::text`;
}

/** A print as an image of the table's schema, in the source's texts. */
export function readPrint({ schema, columns }: PostgresTable, print: string): RowImage {
  const image = rowOfTexts(schema, print);
  if (schema.engine === "postgres") return image;
  const written = new Map(columns.map(({ at }) => [at, schema.columns[at]!]));
  return image.map((cell, at) => {
    const column = written.get(at);
    return typeof cell === "string" && column !== undefined
      ? convertText("postgres", schema.engine, column, cell)
      : cell;
  });
}

/** The hashes under which the bases of these keys lie, as an array text. */
export function baseHashes({ name }: PostgresTable, keys: readonly string[]): string {
  return arrayText(keys.map((key) => rowHash(name, key)));
}
