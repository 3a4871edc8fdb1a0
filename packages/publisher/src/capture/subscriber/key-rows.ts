import type { Engine } from "@lockstep/core";
import { keyParameter, keyPlaceholder } from "./key-parameter.js";
import type { KeyColumn } from "./key-text.js";

/** Keys as the right side of `(k1, k2) IN (…)`. `after`: parameters that the statement has before them. */
export function keyRows(
  engine: Engine,
  columns: readonly KeyColumn[],
  keys: readonly (readonly string[])[],
  after = 0,
): { readonly list: string; readonly parameters: readonly unknown[] } {
  if (engine === "postgres") {
    const arrays = columns.map(({ type }, index) => `$${after + index + 1}::${type}[]`);
    return {
      list: `SELECT * FROM unnest(${arrays.join(", ")})`,
      parameters: columns.map((_, index) => keys.map((key) => key[index])),
    };
  }
  const row = `(${columns.map(keyPlaceholder).join(", ")})`;
  return {
    list: keys.map(() => row).join(", "),
    parameters: keys.flatMap((key) => columns.map((column, index) => keyParameter(column, key[index]!))),
  };
}
