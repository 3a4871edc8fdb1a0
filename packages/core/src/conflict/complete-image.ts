import type { RowImage } from "../change-event.js";
import { cellAt } from "../mapping/mapped-column.js";

/** An image with its unknown cells from another one of the same schema, as far as that knows them. */
export function completeImage(image: RowImage, from: RowImage | undefined): RowImage {
  if (from === undefined || !image.includes(0)) return image;
  return image.map((cell, i) => (cell === 0 ? cellAt(from, i) : cell));
}
