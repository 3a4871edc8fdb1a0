import type { Key } from "../digest/column.js";
import type { ComparedTable, ShownColumn } from "../digest/compared-table.js";
import type { ReportedRow } from "./report.js";

/** Which columns of a differing row differ; with their texts when `isShown` says so. */
export async function differingColumns(
  { source, target, columns }: ComparedTable,
  key: Key,
  isShown: ((column: ShownColumn) => boolean) | undefined,
): Promise<Pick<ReportedRow, "columns" | "values">> {
  const [here, there] = await Promise.all([source.texts(key), target?.texts(key)]);
  if (here === undefined || there === undefined) return {};
  const differing = columns.flatMap((column, i) => (here[i] === there[i] ? [] : [{ ...column, i }]));
  const shown = isShown && differing.filter(isShown);
  return {
    columns: differing.map(({ name }) => name),
    ...(shown && {
      values: Object.fromEntries(
        shown.map(({ name, i }) => [name, { source: here[i] ?? null, target: there[i] ?? null }]),
      ),
    }),
  };
}
