import { cellOf, keyLiteral } from "./cell.js";
import { imageOfCells, whereKeys } from "./images.js";
import { quoteName } from "./quote.js";
import type { TableShape } from "./table-shape.js";

type Key = readonly string[];

/** The condition of rows behind one key, up to another: as ranges of the primary key, which a comparison of tuples isn't for the server. */
export function rangeOf(shape: TableShape, after: Key | undefined, through: Key): string {
  const upTo = `(${beyond(shape, through, "<")} OR ${equal(shape, through)})`;
  return after === undefined ? upTo : `(${beyond(shape, after, ">")}) AND ${upTo}`;
}

/** `a > x OR (a = x AND b > y)`. */
export function beyond(shape: TableShape, key: Key, operator: "<" | ">"): string {
  const names = keyNames(shape);
  const literals = shape.keyColumns.map((column, i) => keyLiteral(column, key[i]!));
  return names
    .map((name, i) => {
      const same = names.slice(0, i).map((before, j) => `${before} = ${literals[j]}`);
      return `(${[...same, `${name} ${operator} ${literals[i]}`].join(" AND ")})`;
    })
    .join(" OR ");
}

function equal(shape: TableShape, key: Key): string {
  return whereKeys(shape, [{ key }]);
}

export function keyNames({ keyColumns }: TableShape): string[] {
  return keyColumns.map(({ name }) => `t.${quoteName(name)}`);
}

/** The key's texts, under the aliases that they have among all columns. */
export function keyCells({ keyColumns, keyIndexes }: TableShape): string {
  return keyColumns.map((column, i) => `${cellOf(column)} AS c${keyIndexes[i]}`).join(", ");
}

export function keyOf(shape: TableShape, row: Record<string, unknown>): Key {
  return JSON.parse(imageOfCells(shape, row)[0]) as Key;
}
