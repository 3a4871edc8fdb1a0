import type { CapturedTable } from "../captured-tables.js";
import type { BuilderWrite } from "../write.js";

/** A column that an UPDATE sets. */
export interface Assignment {
  readonly column: string;
  /** What it is set to: a plain value as the driver takes it, or an SQL expression. Transformers run again at each call. */
  to(): { readonly value: unknown } | { readonly expression: string };
}

/** True when a column of the primary key is among them. */
export function setsKey(table: CapturedTable, assigned: readonly Assignment[]): boolean {
  return assigned.some(({ column }) => table.keys.some(({ name }) => name === column));
}

/** The columns that an UPDATE's values set; those that TypeORM adds by itself (version, update date) are left out. */
export function assignedColumns(write: BuilderWrite): Assignment[] {
  const { mainAlias, valuesSet, queryType } = write.builder.expressionMap;
  if (queryType !== "update" || valuesSet === undefined) return [];
  if (!mainAlias?.hasMetadata) {
    return Object.entries(valuesSet).map(([column, value]) => ({ column, to: () => targetOf(value) }));
  }
  return mainAlias.metadata.columns
    .filter((column) => column.isUpdate)
    .map((column) => ({ column, value: column.getEntityValue(valuesSet) as unknown }))
    .filter(({ value }) => value !== undefined)
    .map(({ column, value }) => ({
      column: column.databaseName,
      to: () =>
        targetOf(typeof value === "function" ? value : write.driver.preparePersistentValue(value, column)),
    }));
}

function targetOf(value: unknown): ReturnType<Assignment["to"]> {
  return typeof value === "function" ? { expression: String(value()) } : { value };
}
