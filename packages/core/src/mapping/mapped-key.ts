import type { TableSchema } from "../table-schema.js";
import type { MappedColumn } from "./mapped-column.js";
import type { TableMapping } from "./table-mapping.js";

/**
 * What makes a mapped row's identity must follow from the source's key alone: a delete carries nothing else. And it must hold all of it: otherwise two
 * rows of the source would be one in the target.
 */
export function keyOf(
  source: TableSchema,
  spec: TableMapping,
  columns: readonly MappedColumn[],
  problems: string[],
): readonly MappedColumn[] {
  const sourceOf = (column: MappedColumn): string | undefined =>
    "at" in column ? source.columns[column.at]!.name : undefined;
  const key =
    spec.key === undefined ? defaultKey(source, columns, sourceOf) : namedKey(spec.key, columns, problems);
  for (const column of key) {
    const { name } = column.schema;
    const from = sourceOf(column);
    if (column.from === "computed" || (from !== undefined && !source.key.includes(from)))
      problems.push(`key: ${name} doesn't follow from the source's key (${source.key.join(", ")})`);
    if (column.from === "fixed" && column.text === null) problems.push(`key: ${name} is NULL`);
  }
  const lost = source.key.filter((name) => !key.some((column) => sourceOf(column) === name));
  if (lost.length > 0)
    problems.push(`key: nothing holds ${lost.join(", ")} of the source's key: rows could not be told apart`);
  return key;
}

function defaultKey(
  source: TableSchema,
  columns: readonly MappedColumn[],
  sourceOf: (column: MappedColumn) => string | undefined,
): readonly MappedColumn[] {
  return source.key.flatMap((name) => {
    const holding = columns.filter((column) => sourceOf(column) === name);
    const copied = holding.find(({ from }) => from === "copy");
    return copied === undefined ? holding.slice(0, 1) : [copied];
  });
}

function namedKey(
  names: readonly string[],
  columns: readonly MappedColumn[],
  problems: string[],
): readonly MappedColumn[] {
  return names.flatMap((name) => {
    const column = columns.find(({ schema }) => schema.name === name);
    if (column === undefined) problems.push(`key: ${name} is none of the target's columns`);
    return column === undefined ? [] : [column];
  });
}
