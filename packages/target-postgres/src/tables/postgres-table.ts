import { convertText, type TableSchema, tableId, type TargetTable } from "@lockstep/core";
import { quoteName, quoteTable } from "../sql/quote.js";
import type { CatalogColumn, CatalogForeignKey, CatalogTable, CatalogUnique } from "./catalog.js";

/** A column that is written: where its cell stands in a row image, and how it is written. */
export interface WrittenColumn {
  readonly name: string;
  readonly quoted: string;
  /** Index into the image. */
  readonly at: number;
  readonly catalog: CatalogColumn;
  /** Text of the source → text that this column reads; absent when they are the same. */
  readonly convert?: (text: string) => string;
}

/** A target table with everything the statements on it are made of. Made once per schema and session. */
export class PostgresTable implements TargetTable {
  readonly name: string;
  /** Quoted and qualified. */
  readonly quoted: string;
  readonly columns: readonly WrittenColumn[];
  /** In the source's key order. */
  readonly key: readonly WrittenColumn[];
  readonly parents: readonly string[];
  readonly selfReferencing: boolean;
  readonly hasSecondaryUnique: boolean;
  /** Foreign keys of other tables (or this one) that a delete here would set in motion. */
  readonly cascading: readonly CatalogForeignKey[];
  readonly #made = new Map<string, unknown>();

  constructor(
    readonly schema: TableSchema,
    readonly catalog: CatalogTable,
    sourceIdOf: (targetName: string) => string | undefined,
  ) {
    this.name = `${catalog.namespace}.${catalog.name}`;
    this.quoted = quoteTable(catalog.namespace, catalog.name);
    this.columns = writtenColumns(schema, catalog);
    this.key = schema.key.map((name) => this.columns.find((column) => column.name === name)!);
    this.parents = parentIds(schema, catalog, sourceIdOf);
    this.selfReferencing = catalog.foreignKeys.some(({ parent }) => isSame(parent, catalog));
    this.hasSecondaryUnique = this.uniques.length > 0;
    this.cascading = catalog.referencedBy.filter(
      ({ onDelete }) => onDelete !== "no action" && onDelete !== "restrict",
    );
  }

  /** UNIQUE and exclusion constraints that rows with different primary keys can violate. */
  get uniques(): readonly CatalogUnique[] {
    const { key, uniques } = this.catalog;
    return uniques.filter(
      ({ plain, exclusion }) => exclusion || !key.every((column) => plain.includes(column)),
    );
  }

  /** What `make` makes, made once: statements are built once per table. */
  once<T>(what: string, make: (table: this) => T): T {
    if (!this.#made.has(what)) this.#made.set(what, make(this));
    return this.#made.get(what) as T;
  }
}

/** A table that this package's own `tables()` returned. */
export function postgresTable(table: TargetTable): PostgresTable {
  if (table instanceof PostgresTable) return table;
  throw new TypeError("the table comes from another target");
}

function writtenColumns(schema: TableSchema, catalog: CatalogTable): readonly WrittenColumn[] {
  const known = new Map(catalog.columns.map((column) => [column.name, column]));
  return schema.columns.flatMap((column, at) => {
    const found = known.get(column.name);
    if (found === undefined || found.generated) return [];
    const written = { name: column.name, quoted: quoteName(column.name), at, catalog: found };
    return schema.engine === "postgres"
      ? [written]
      : [{ ...written, convert: (text: string) => convertText(schema.engine, "postgres", column, text) }];
  });
}

function parentIds(
  schema: TableSchema,
  catalog: CatalogTable,
  sourceIdOf: (targetName: string) => string | undefined,
): readonly string[] {
  const others = catalog.foreignKeys.filter(({ parent }) => !isSame(parent, catalog));
  // A parent that no change has named yet comes, in all likelihood, from the same namespace of the source.
  const ids = others.map(
    ({ parent }) => sourceIdOf(parent.name) ?? tableId({ namespace: schema.namespace, name: parent.name }),
  );
  return [...new Set(ids)];
}

/** True when both are the same table. */
export function isSame(
  one: { readonly namespace: string; readonly name: string },
  other: { readonly namespace: string; readonly name: string },
): boolean {
  return one.namespace === other.namespace && one.name === other.name;
}
