import type { Cell } from "@lockstep/core";
import { arrayText } from "../sql/quote.js";
import type { WrittenColumn } from "../tables/postgres-table.js";

/**
 * Rows as parameters: one array per column, `unnest($1::bigint[], $2::text[]) as s(c0, c1)`. Elements are cast to the column's
 * type *without* its length, so that assigning them to the column enforces the length instead of cutting.
 */
export interface RowSource {
  /** The FROM item. */
  readonly from: string;
  /** The same with a further column `n`: the row's number, from 1. */
  readonly numbered: string;
  /** The expression that gives each column's value, in their order. */
  readonly values: readonly string[];
}

/** The source `s` of rows with these columns; parameters count from `firstParameter`. */
export function rowSource(columns: readonly WrittenColumn[], firstParameter = 1, alias = "s"): RowSource {
  const names = columns.map((_, i) => `c${i}`);
  const arrays = columns.map(({ catalog }, i) => `$${firstParameter + i}::${arrayOf(catalog.castType)}`);
  const rows = `unnest(${arrays.join(", ")})`;
  return {
    from: `${rows} as ${alias}(${names.join(", ")})`,
    numbered: `${rows} with ordinality as ${alias}(${[...names, "n"].join(", ")})`,
    values: columns.map(({ catalog }, i) =>
      isArray(catalog.castType) ? `${alias}.c${i}::${catalog.castType}` : `${alias}.c${i}`,
    ),
  };
}

// unnest takes arrays of arrays apart to the last element: those travel as text.
function arrayOf(type: string): string {
  return isArray(type) ? "text[]" : `${type}[]`;
}

function isArray(type: string): boolean {
  return type.endsWith("[]");
}

/** One array text per column of `rows`, for {@link rowSource}; `at` says where each column's cell stands. */
export function columnArrays(rows: readonly (readonly Cell[])[], at: readonly number[]): readonly string[] {
  return at.map((index) =>
    arrayText(
      rows.map((cells) => {
        const cell = cells[index];
        return typeof cell === "string" ? cell : null;
      }),
    ),
  );
}

/** `t.a = s.c0 and t.b = s.c1` */
export function matches(columns: readonly WrittenColumn[], values: readonly string[]): string {
  return columns.map(({ quoted }, i) => `t.${quoted} = ${values[i]!}`).join(" and ");
}
