import type { RowImage } from "../change-event.js";
import type { TableSchema } from "../table-schema.js";

/** A row as records and bases keep it: a JSON object of texts by column; unknown cells are left out. */
export function rowTexts({ columns }: TableSchema, image: RowImage): string {
  const known = columns.flatMap(({ name }, i) => {
    const cell = image[i];
    return cell === undefined || cell === 0 ? [] : [[name, cell] as const];
  });
  return JSON.stringify(Object.fromEntries(known));
}

/** The inverse, in the order of a schema: what it doesn't name is unknown. */
export function rowOfTexts({ columns }: TableSchema, texts: string): RowImage {
  const cells = JSON.parse(texts) as Readonly<Record<string, string | null>>;
  return columns.map(({ name }) => (Object.hasOwn(cells, name) ? cells[name]! : 0));
}
