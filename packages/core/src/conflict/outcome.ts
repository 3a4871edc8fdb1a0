import type { RowImage } from "../change-event.js";
import type { TableSchema } from "../table-schema.js";
import { isSameRow } from "./same-row.js";
import type { Resolution, Sides } from "./resolution.js";

/** What a row that was made of both sides comes to: one of the sides, or a third. */
export function outcomeOf(schema: TableSchema, { source, target }: Sides, image: RowImage): Resolution {
  if (source !== undefined && isSameRow(schema, image, source)) return { outcome: "source", image: source };
  if (target !== undefined && isSameRow(schema, image, target)) return { outcome: "target", image: target };
  return { outcome: "merged", image };
}
