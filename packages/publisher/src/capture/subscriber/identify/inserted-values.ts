import type { ColumnInternals } from "../typeorm-internals.js";
import type { BuilderWrite } from "../write.js";

/** Column names and the values that one row of an INSERT gives them. Columns left to the database, or set by SQL expressions, are absent. */
export type InsertedValues = ReadonlyMap<string, unknown>;

/** The rows of an INSERT as their values say, after TypeORM has built its SQL (ids made by TypeORM itself are there by then). */
export function insertedValues(write: BuilderWrite): InsertedValues[] {
  const { mainAlias, valuesSet } = write.builder.expressionMap;
  const sets = (Array.isArray(valuesSet) ? valuesSet : [valuesSet]) as object[];
  if (!mainAlias?.hasMetadata) return sets.map((set) => plainValues(Object.entries(set)));
  const columns = write.builder.getInsertedColumns();
  return sets.map((set, index) =>
    plainValues(columns.map((column) => [column.databaseName, valueOf(write, set, index, column)])),
  );
}

function valueOf(write: BuilderWrite, set: object, index: number, column: ColumnInternals): unknown {
  const { mainAlias, locallyGenerated } = write.builder.expressionMap;
  if (column.isDiscriminator) return mainAlias?.metadata.discriminatorValue;
  const given = column.getEntityValue(set);
  if (typeof given === "function") return given;
  const value = write.driver.preparePersistentValue(given, column);
  const made = locallyGenerated[index];
  return value === undefined && made ? column.getEntityValue(made) : value;
}

function plainValues(entries: readonly (readonly [string, unknown])[]): InsertedValues {
  return new Map(entries.filter(([, value]) => value !== undefined && typeof value !== "function"));
}
