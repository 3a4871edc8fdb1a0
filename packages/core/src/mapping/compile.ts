import { fingerprintOf, type TableSchema } from "../table-schema.js";
import { keyOf } from "./mapped-key.js";
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
