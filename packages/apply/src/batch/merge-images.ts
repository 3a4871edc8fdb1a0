import type { Cell, RowImage, TableSchema } from "@lockstep/core";

// A `0` that stands alone between separators. It may also match inside a string cell: that only costs a parse.
const loneZero = /[[,]0[,\]]/;

/** False when the image text surely has no unknown cell; cheap, without parsing. */
export function mayBePartial(image: string): boolean {
  return loneZero.test(image);
}

/** True when a cell is not known. */
export function isPartial(image: RowImage): boolean {
  return image.includes(0);
}

/** An image and the schema that names its cells. */
export interface SchemaImage {
  readonly schema: TableSchema;
  readonly image: RowImage;
}

/**
 * The newer image with its unknown cells taken from the older one (PROTOCOL.md 18), in the order of the newer schema.
 * Columns are matched by name when the schemas differ.
 */
export function mergeImages(older: SchemaImage, newer: SchemaImage): RowImage {
  if (!isPartial(newer.image)) return newer.image;
  if (older.schema.fingerprint === newer.schema.fingerprint) {
    return newer.image.map((cell, i) => (cell === 0 ? cellOf(older.image, i) : cell));
  }
  const indexOf = new Map(older.schema.columns.map((column, i) => [column.name, i]));
  return newer.image.map((cell, i) => {
    const index = cell === 0 ? indexOf.get(newer.schema.columns[i]?.name ?? "") : undefined;
    return index === undefined ? cell : cellOf(older.image, index);
  });
}

function cellOf(image: RowImage, index: number): Cell {
  const cell = image[index];
  return cell === undefined ? 0 : cell;
}
