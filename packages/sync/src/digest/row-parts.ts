import type { ComparedColumn } from "./column.js";

/** How something, the SQL of an engine or a function, is made that gives what {@link rowParts} needs. */
export interface PartMakers<Column, Part> {
  /** A column's text, or the md5 that stands for it. */
  readonly part: (column: Column) => Part;
  /** A number with a bit for each of these columns, from the lowest on: set when it is NULL. */
  readonly nulls: (columns: readonly Column[]) => Part;
  /** Bytes of its text; NULL when it is NULL. */
  readonly length: (column: Column) => Part;
}

/** Columns whose NULLs one number tells. */
const columnsPerNumber = 30;

/**
 * What stands in one text for these columns, with `#` between and NULLs left out: two rows have the same text only if all columns are the same. First the
 * texts that can't hold a `#`; then numbers that say which columns are NULL; then the lengths of the texts that may hold one, but for the last, and these
 * texts. Pure.
 */
export function rowParts<Column extends Pick<ComparedColumn, "part">, Part>(
  columns: readonly Column[],
  make: PartMakers<Column, Part>,
): readonly Part[] {
  const free = columns.filter(({ part }) => part === "free");
  const others = columns.filter(({ part }) => part !== "free");
  const nulls: Part[] = [];
  for (let i = 0; i < columns.length; i += columnsPerNumber)
    nulls.push(make.nulls(columns.slice(i, i + columnsPerNumber)));
  return [...others.map(make.part), ...nulls, ...free.slice(0, -1).map(make.length), ...free.map(make.part)];
}

/** SQL of {@link PartMakers.nulls}, where `isNull` is 1 or 0. Pure. */
export function nullBits<Column>(columns: readonly Column[], isNull: (column: Column) => string): string {
  return columns.map((column, bit) => `${isNull(column)} * ${2 ** bit}`).join(" + ");
}
