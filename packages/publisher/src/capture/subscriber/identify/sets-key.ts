import type { BuilderWrite } from "../write.js";

/** A key column that an UPDATE sets, and to what. */
export interface KeyAssignment {
  readonly column: string;
  /** A plain value, or an SQL expression. */
  readonly to: { readonly value: unknown } | { readonly expression: string };
}

/** True when an UPDATE sets a column of the primary key. */
export function setsKey(write: BuilderWrite): boolean {
  return keyAssignments(write).length > 0;
}

/** The key columns that an UPDATE sets. */
export function keyAssignments(write: BuilderWrite): KeyAssignment[] {
  const { mainAlias, valuesSet, queryType } = write.builder.expressionMap;
  if (queryType !== "update" || valuesSet === undefined) return [];
  const keys = new Set(write.table.keys.map((key) => key.name));
  const assigned = mainAlias?.hasMetadata
    ? mainAlias.metadata.columns
        .filter((column) => column.isUpdate && keys.has(column.databaseName))
        .map((column) => {
          const value = column.getEntityValue(valuesSet);
          const prepared =
            typeof value === "function" ? value : write.driver.preparePersistentValue(value, column);
          return [column.databaseName, prepared] as const;
        })
    : Object.entries(valuesSet).filter(([name]) => keys.has(name));
  return assigned
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => ({
      column,
      to: typeof value === "function" ? { expression: String(value()) } : { value },
    }));
}
