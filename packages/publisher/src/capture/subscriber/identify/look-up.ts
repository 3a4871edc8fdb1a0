import { valuePlaceholder } from "../key-parameter.js";
import { readKey } from "../key-text.js";
import { quoteName, quoteTable } from "../quote.js";
import type { BuilderWrite } from "../write.js";
import type { InsertedValues } from "./inserted-values.js";

/** Columns and values that find one row. */
export interface Locator {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
}

/** Rows asked for in one SELECT. */
const rowsPerSelect = 200;

/** True when the values alone identify the row by this unique key. */
export function fills(set: InsertedValues, columns: readonly string[]): boolean {
  return columns.every((name) => set.get(name) !== undefined && set.get(name) !== null);
}

/** Finds the row that has these columns as the values say. */
export function locator(columns: readonly string[], set: InsertedValues): Locator {
  return { columns, values: columns.map((name) => set.get(name)) };
}

/** Keys of the rows that are found. `lock` also locks them. */
export async function lookUp(
  write: BuilderWrite,
  locators: readonly Locator[],
  lock: "" | " FOR UPDATE" = "",
): Promise<string[][]> {
  const { table, engine } = write;
  const condition = (name: string, n: number): string => {
    const column = table.schema.columns.find((candidate) => candidate.name === name);
    if (engine === "postgres") return `${quoteName(engine, name)} = $${n + 1}`;
    return `${quoteName(engine, name)} = ${column ? valuePlaceholder(column) : "?"}`;
  };
  const found: string[][] = [];
  for (let from = 0; from < locators.length; from += rowsPerSelect) {
    const some = locators.slice(from, from + rowsPerSelect);
    let n = 0;
    const where = some.map(({ columns }) => `(${columns.map((name) => condition(name, n++)).join(" AND ")})`);
    const rows = await write.select(
      `SELECT ${table.keyList} FROM ${quoteTable(engine, table.table)} WHERE ${where.join(" OR ")}${lock}`,
      some.flatMap(({ values }) => values),
    );
    found.push(...rows.map((row) => readKey(table.keys, row)));
  }
  return found;
}
