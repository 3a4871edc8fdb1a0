import { fingerprintOf, type TableSchema } from "../table-schema.js";
import { computedColumn, copyOf, fixedColumn, hashOf, type MappedColumn } from "./mapped-column.js";
import { type RowMapping, rowMapping } from "./row-mapping.js";
import type { ColumnMapping, TableMapping } from "./table-mapping.js";

/** What a mapping is compiled with. */
export interface CompileOptions {
  readonly secret?: string | undefined;
  /** The fixed key column that tells the rows of mappings apart which share the table. */
  readonly discriminator?: string | undefined;
}

/** Namespace of tables that several source tables share: they have none of their own. */
const sharedNamespace = "mapped";

/** A mapping of one schema, or everything that is wrong with it. */
export function compile(
  source: TableSchema,
  spec: TableMapping,
  options: CompileOptions,
): RowMapping | readonly string[] {
  const problems: string[] = [];
  const columns = columnsOf(source, spec, options, problems);
  const { softDeleted } = spec;
  if (softDeleted !== undefined && !source.columns.some(({ name }) => name === softDeleted))
    problems.push(`softDeleted: there is no column ${softDeleted}`);
  const key = keyOf(source, spec, columns, problems);
  if (problems.length > 0) return problems;
  const { discriminator } = options;
  const schema = schemaOf(source, spec, columns, key, discriminator !== undefined);
  const parts = { source, schema, columns: withKey(columns, key), key, spec };
  if (discriminator === undefined) return rowMapping(parts);
  const column = columns.find(({ schema: { name } }) => name === discriminator);
  const text = column?.from === "fixed" ? column.text : null;
  return rowMapping({ ...parts, share: { [discriminator]: text ?? "" } });
}

function columnsOf(
  source: TableSchema,
  { columns = { "*": true } }: TableMapping,
  { secret }: CompileOptions,
  problems: string[],
): MappedColumn[] {
  const named = Object.entries(columns).filter(([name]) => name !== "*");
  const listed = named.flatMap(([name, spec]): MappedColumn[] => {
    try {
      return columnOf(source, name, spec, secret);
    } catch (error) {
      problems.push(`columns.${name}: ${error instanceof Error ? error.message : "wrong"}`);
      return [];
    }
  });
  if (columns["*"] !== true) return listed;
  const spoken = new Set(named.flatMap(([name, spec]) => [name, ...sourceColumnOf(spec)]));
  const rest = source.columns.flatMap(({ name }, at) => (spoken.has(name) ? [] : [copyOf(source, at, name)]));
  return [...rest, ...listed];
}

function columnOf(
  source: TableSchema,
  name: string,
  spec: ColumnMapping,
  secret: string | undefined,
): MappedColumn[] {
  if (spec === true) return [copyOf(source, placeOf(source, name), name)];
  if (spec === false) {
    placeOf(source, name);
    return [];
  }
  if (typeof spec === "string") return [copyOf(source, placeOf(source, spec), name)];
  if ("hash" in spec) {
    if (secret === undefined) throw new TypeError("hash needs the target's maskSecret");
    return [hashOf(source, placeOf(source, spec.hash), name, secret)];
  }
  if ("fixed" in spec) return [fixedColumn(source, name, spec)];
  return [computedColumn(source, name, spec)];
}

function placeOf(source: TableSchema, column: string): number {
  const at = source.columns.findIndex(({ name }) => name === column);
  if (at < 0) throw new TypeError(`there is no column ${column}`);
  return at;
}

/** The source column that a spec takes away from `"*"`. */
function sourceColumnOf(spec: ColumnMapping): readonly string[] {
  if (typeof spec === "string") return [spec];
  return typeof spec === "object" && "hash" in spec ? [spec.hash] : [];
}

/**
 * What makes a mapped row's identity must follow from the source's key alone: a delete carries nothing else. And it must hold all of it: otherwise two
 * rows of the source would be one in the target.
 */
function keyOf(
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
    return (holding.find(({ from }) => from === "copy") ?? holding[0]) === undefined
      ? []
      : [holding.find(({ from }) => from === "copy") ?? holding[0]!];
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

function schemaOf(
  source: TableSchema,
  spec: TableMapping,
  columns: readonly MappedColumn[],
  key: readonly MappedColumn[],
  shared: boolean,
): TableSchema {
  const schema = {
    engine: source.engine,
    namespace: shared ? sharedNamespace : source.namespace,
    name: spec.to ?? source.name,
    columns: withKey(columns, key).map((column) => column.schema),
    key: key.map((column) => column.schema.name),
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

function withKey(columns: readonly MappedColumn[], key: readonly MappedColumn[]): readonly MappedColumn[] {
  return columns.map((column) =>
    key.includes(column) && column.schema.nullable
      ? { ...column, schema: { ...column.schema, nullable: false } }
      : column,
  );
}
