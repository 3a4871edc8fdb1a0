import type { Cell, RowWrite } from "@lockstep/core";
import { UnfaithfulColumnError } from "../classify.js";
import type { PostgresTable, WrittenColumn } from "../tables/postgres-table.js";

/** The cells of a row's written columns, in their order and in the texts that the target reads. */
export function writtenCells(table: PostgresTable, write: RowWrite): readonly Cell[] {
  return table.once("cells", cellReader)(write);
}

/** True when the written columns are those of the images, in their order and their texts. */
export function takesImages({ columns, schema }: PostgresTable): boolean {
  return (
    columns.length === schema.columns.length &&
    columns.every(({ at, convert, keeps }, i) => at === i && convert === undefined && keeps === undefined)
  );
}

type CellReader = (write: RowWrite) => readonly Cell[];

function cellReader(table: PostgresTable): CellReader {
  const { columns } = table;
  const keyAt = table.key.map((column) => columns.indexOf(column));
  const asIs = takesImages(table);
  return (write) => {
    const cells =
      asIs && write.image.length === columns.length
        ? write.image
        : columns.map((column) => cell(column, write));
    return keyAt.some((at) => cells[at] === 0) ? withKey(cells, keyAt, table, write.key) : cells;
  };
}

function cell(column: WrittenColumn, { image }: RowWrite): Cell {
  // An image shorter than its schema: the rest isn't known.
  const value = image[column.at] ?? (column.at < image.length ? null : 0);
  return typeof value === "string" ? writtenText(column, value) : value;
}

/** A text of the source as the column reads it. @throws UnfaithfulColumnError when the column wouldn't keep it. */
function writtenText({ name, convert, keeps }: WrittenColumn, value: string): string {
  const text = convert === undefined ? value : convert(value);
  if (keeps?.(text) === false) throw new UnfaithfulColumnError(name);
  return text;
}

// A partial image may leave out the key; the write itself never does.
function withKey(
  cells: readonly Cell[],
  keyAt: readonly number[],
  table: PostgresTable,
  key: string,
): readonly Cell[] {
  const texts = keyTexts(table, key);
  const whole = [...cells];
  keyAt.forEach((at, i) => (whole[at] = texts[i]!));
  return whole;
}

/** The texts of a JSON key in the source's key order, as the target reads them. */
export function keyTexts(table: PostgresTable, key: string): readonly string[] {
  const texts = JSON.parse(key) as readonly string[];
  if (texts.length !== table.key.length)
    throw new TypeError("a key has another number of columns than its table");
  return table.key.map((column, i) => writtenText(column, texts[i]!));
}
