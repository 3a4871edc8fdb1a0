import {
  type Cell,
  type ColumnSchema,
  type Engine,
  fingerprintOf,
  type RowWrite,
  type TableSchema,
  toCanonical,
} from "@lockstep/core";
import { type ContractType, dialects } from "./dialect.js";
import type { TargetFixture } from "./fixture.js";

/** A column: its type, or the type and that it may not be NULL in the target. */
export type ContractColumn = ContractType | { readonly type: ContractType; readonly notNull: true };

/** A foreign key of a table in the target. */
interface ContractForeignKey {
  readonly column: string;
  readonly parent: string;
  readonly onDelete?: "cascade" | "set null";
}

/** What a table has beside its columns. */
export interface ContractTableOptions {
  /** Primary key. Default: the first column. */
  readonly key?: readonly string[];
  readonly uniques?: readonly (readonly string[])[];
  readonly foreignKeys?: readonly ContractForeignKey[];
  /** A CHECK condition in SQL that both engines read the same. */
  readonly check?: string;
  /** Engine the changes come from. Default: the target's own. */
  readonly source?: Engine;
}

/** One table of a test: the schema its changes follow, and how it is made and read in the target. */
export interface ContractTable {
  readonly schema: TableSchema;
  /** `namespace.name` at the source. */
  readonly id: string;
  readonly name: string;
  /** Makes it in the target, as a user would. */
  create(): Promise<void>;
  /** Its rows in key order; cells as the target's engine prints them. */
  rows(): Promise<readonly (readonly (string | null)[])[]>;
  /** The same with cells in their canonical form. */
  canonicalRows(): Promise<readonly (readonly (string | null)[])[]>;
  /** A source image in canonical form: what {@link canonicalRows} must give. */
  canonical(image: RowWrite["image"]): readonly Cell[];
  /** A write of a row whose cells are given in column order. */
  row(...cells: RowWrite["image"]): RowWrite;
  /** The same of a row whose key was another one before. */
  moved(before: readonly string[], ...cells: RowWrite["image"]): RowWrite;
  /** JSON key of the row with these key texts. */
  key(...texts: readonly string[]): string;
}

/** Describes a table. Nothing is made in the target before `create()`. */
export function contractTable(
  fixture: TargetFixture,
  name: string,
  columns: Readonly<Record<string, ContractColumn>>,
  options: ContractTableOptions = {},
): ContractTable {
  const source = options.source ?? fixture.engine;
  const definition = { name, columns, options, key: options.key ?? [Object.keys(columns)[0]!] };
  const schema = schemaOf(source, definition);
  const keyAt = schema.key.map((key) => schema.columns.findIndex((column) => column.name === key));
  const row = (...image: RowWrite["image"]): RowWrite => ({
    key: JSON.stringify(keyAt.map((at) => image[at])),
    image,
  });
  return {
    schema,
    id: `${schema.namespace}.${name}`,
    name,
    create: () =>
      fixture.rows ? Promise.resolve() : fixture.run(createStatement(fixture.engine, definition)),
    rows,
    canonicalRows: async () =>
      fixture.rows ? rows() : (await rows()).map((cells) => cells.map(inCanonical(fixture.engine))),
    canonical: (image) => image.map(inCanonical(source)),
    row,
    moved: (before, ...image) => ({ ...row(...image), before: JSON.stringify(before) }),
    key: (...texts) => JSON.stringify(texts),
  };

  async function rows(): Promise<readonly (readonly (string | null)[])[]> {
    if (!fixture.rows) return fixture.read(selectStatement(fixture.engine, definition));
    const found = await fixture.rows(schema);
    return (found as readonly (readonly (string | null)[])[]).toSorted(inKeyOrder);
  }

  function inKeyOrder(a: readonly (string | null)[], b: readonly (string | null)[]): number {
    for (const at of keyAt) {
      const [x, y] = [a[at] ?? "", b[at] ?? ""];
      if (x !== y) return schema.columns[at]!.kind === "integer" ? Number(x) - Number(y) : x < y ? -1 : 1;
    }
    return 0;
  }

  function inCanonical(engine: Engine): <C extends Cell>(cell: C, at: number) => C | string {
    return (cell, at) => (typeof cell === "string" ? toCanonical(engine, schema.columns[at]!, cell) : cell);
  }
}

interface Definition {
  readonly name: string;
  readonly columns: Readonly<Record<string, ContractColumn>>;
  readonly key: readonly string[];
  readonly options: ContractTableOptions;
}

function typeOf(column: ContractColumn): ContractType {
  return typeof column === "string" ? column : column.type;
}

function schemaOf(engine: Engine, { name, columns, key }: Definition): TableSchema {
  const dialect = dialects[engine];
  const described: readonly ColumnSchema[] = Object.entries(columns).map(([column, spec]) => ({
    name: column,
    nullable: typeof spec === "string" && !key.includes(column),
    ...dialect.types[typeOf(spec)],
  }));
  const schema = { engine, namespace: dialect.namespace, name, columns: described, key };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

function createStatement(engine: Engine, { name, columns, key, options }: Definition): string {
  const { quote, types } = dialects[engine];
  const list = (names: readonly string[]): string => names.map(quote).join(", ");
  const lines = Object.entries(columns).map(([column, spec]) => {
    const notNull = typeof spec !== "string" || key.includes(column);
    return `${quote(column)} ${types[typeOf(spec)].type} ${notNull ? "not null" : "null"}`;
  });
  lines.push(`primary key (${list(key)})`);
  for (const unique of options.uniques ?? []) lines.push(`unique (${list(unique)})`);
  for (const { column, parent, onDelete } of options.foreignKeys ?? []) {
    const action = onDelete === undefined ? "" : ` on delete ${onDelete}`;
    lines.push(`foreign key (${quote(column)}) references ${quote(parent)} (${quote("id")})${action}`);
  }
  if (options.check !== undefined) lines.push(`check (${options.check})`);
  return `create table ${quote(name)} (${lines.join(", ")})`;
}

function selectStatement(engine: Engine, { name, columns, key }: Definition): string {
  const { quote, printed } = dialects[engine];
  const list = Object.entries(columns).map(([column, spec]) => printed(`t.${quote(column)}`, typeOf(spec)));
  // Qualified: the bare name of a key column would mean its printed text, and sort as text.
  const order = key.map((column) => `t.${quote(column)}`);
  return `select ${list.join(", ")} from ${quote(name)} t order by ${order.join(", ")}`;
}
