import type { ComparedColumn } from "./column.js";

/** How an engine says what {@link rowParts} needs. */
export interface PartsSql {
  /** A column's text, or the md5 that stands for it. */
  readonly part: (column: ComparedColumn) => string;
  /** 1 when the column is NULL, else 0. */
  readonly isNull: (column: ComparedColumn) => string;
  /** Bytes of its text; NULL when it is NULL. */
  readonly length: (column: ComparedColumn) => string;
}

/** Columns whose NULLs one number tells. */
const columnsPerNumber = 30;

/**
 * What stands in one text for these columns, with `#` between and NULLs left out: two rows have the same text only if all columns are the same. First the
 * texts that can't hold a `#`; then numbers that say which columns are NULL; then the lengths of the texts that may hold one, but for the last, and these
 * texts. Pure.
 */
export function rowParts(columns: readonly ComparedColumn[], sql: PartsSql): readonly string[] {
  const free = columns.filter(({ part }) => part === "free");
  const others = columns.filter(({ part }) => part !== "free");
  const nulls: string[] = [];
  for (let i = 0; i < columns.length; i += columnsPerNumber) {
    const bits = columns
      .slice(i, i + columnsPerNumber)
      .map((column, bit) => `${sql.isNull(column)} * ${2 ** bit}`);
    nulls.push(bits.join(" + "));
  }
  return [...others.map(sql.part), ...nulls, ...free.slice(0, -1).map(sql.length), ...free.map(sql.part)];
}
