import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";
import type { ReportedRow } from "./report.js";

/** Which columns of a differing row differ; with their texts when `isShown` says so. */
export async function differingColumns(
  { id, source, target, columns }: ComparedTable,
  key: Key,
  isShown: ((table: string, column: string) => boolean) | undefined,
): Promise<Pick<ReportedRow, "columns" | "values">> {
  const [here, there] = await Promise.all([source.texts(key), target?.texts(key)]);
  if (here === undefined || there === undefined) return {};
  const differing = columns.flatMap((column, i) => (here[i] === there[i] ? [] : [{ ...column, i }]));
  const shown = isShown && differing.filter(({ shows }) => shows !== undefined && isShown(id, shows));
  return {
    columns: differing.map(({ name }) => name),
    ...(shown && {
      values: Object.fromEntries(
        shown.map(({ name, i }) => [name, { source: here[i] ?? null, target: there[i] ?? null }]),
      ),
    }),
  };
}
