import { isSealed, type Mask, tableId, type TableSchema } from "@lockstep/core";

/** What stands in place of a masked value. */
export const maskText = "***";

/**
 * A JSON key, its hidden texts ones replaced. While the table's schema isn't known, a key that might hold a masked column is hidden whole:
 * showing too little is mended by waiting, showing too much isn't.
 */
export function maskKey(mask: Mask, table: string, key: string, schema: TableSchema | undefined): string {
  const texts = JSON.parse(key) as string[];
  if (!mask.mayHide(table) && !texts.some(isSealed)) return key;
  const known = schema !== undefined && tableId(schema) === table ? schema.key : undefined;
  const hides = (i: number) =>
    isSealed(texts[i] ?? "") ||
    (mask.mayHide(table) && (known === undefined || mask.hides(table, known[i] ?? "")));
  return JSON.stringify(texts.map((text, i) => (hides(i) ? maskText : text)));
}
