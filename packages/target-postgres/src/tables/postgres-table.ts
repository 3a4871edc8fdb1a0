import { convertText, type TableSchema, tableId, type TargetTable } from "@lockstep/core";
import { quoteName, quoteTable } from "../sql/quote.js";
import type { CatalogColumn, CatalogForeignKey, CatalogTable, CatalogUnique } from "./catalog.js";
import { keepsText, type KeepsText } from "./faithful.js";

/** A column that is written: where its cell stands in a row image, and how it is written. */
export interface WrittenColumn {
  readonly name: string;
  readonly quoted: string;
  /** Index into the image. */
  readonly at: number;
  readonly catalog: CatalogColumn;
  /** Text of the source → text that this column reads; absent when they are the same. */
  readonly convert?: (text: string) => string;
  /** Whether the column keeps a text as it is; absent when it keeps all. */
  readonly keeps?: KeepsText;
}

/** What follows from a schema and the catalog. */
interface TableFacts {
  readonly catalog: CatalogTable;
  readonly columns: readonly WrittenColumn[];
  readonly key: readonly WrittenColumn[];
  readonly uniques: readonly CatalogUnique[];
  readonly cascading: readonly CatalogForeignKey[];
  readonly parents: readonly string[];
}

/** Finds the id of the source table that is written to the target's table of this name. */
export type SourceIdOf = (targetName: string) => string | undefined;

/** A target table with everything the statements on it are made of. One per schema and session. */
export class PostgresTable implements TargetTable {
  readonly name: string;
  /** Quoted and qualified. */
  readonly quoted: string;
  readonly #sourceIdOf: SourceIdOf;
  #facts: TableFacts;
  #made = new Map<string, unknown>();

  constructor(
    readonly schema: TableSchema,
    catalog: CatalogTable,
    sourceIdOf: SourceIdOf,
  ) {
    this.name = `${catalog.namespace}.${catalog.name}`;
    this.quoted = quoteTable(catalog.namespace, catalog.name);
    this.#sourceIdOf = sourceIdOf;
    this.#facts = factsOf(schema, catalog, sourceIdOf);
  }

  /** The table was looked at again: statements are made anew when it isn't what it was. */
  update(catalog: CatalogTable): void {
    if (JSON.stringify(catalog) !== JSON.stringify(this.catalog)) this.#made = new Map();
    this.#facts = factsOf(this.schema, catalog, this.#sourceIdOf);
  }

  get catalog(): CatalogTable {
    return this.#facts.catalog;
  }

  get columns(): readonly WrittenColumn[] {
    return this.#facts.columns;
  }

  /** In the source's key order. */
  get key(): readonly WrittenColumn[] {
    return this.#facts.key;
  }

  /** UNIQUE and exclusion constraints that rows with different primary keys can violate. */
  get uniques(): readonly CatalogUnique[] {
    return this.#facts.uniques;
  }

  /** Foreign keys of other tables (or this one) that a delete here would set in motion. */
  get cascading(): readonly CatalogForeignKey[] {
    return this.#facts.cascading;
  }

  get parents(): readonly string[] {
    return this.#facts.parents;
  }

  get selfReferencing(): boolean {
    return this.catalog.foreignKeys.some(({ parent }) => isSame(parent, this.catalog));
  }

  get keyOrder(): readonly string[] {
    return this.catalog.key;
  }

  get hasSecondaryUnique(): boolean {
    return this.uniques.length > 0;
  }

  /** What `make` makes, made once: statements are built once per table. */
  once<T>(what: string, make: (table: this) => T): T {
    if (!this.#made.has(what)) this.#made.set(what, make(this));
    return this.#made.get(what) as T;
  }
}

function factsOf(schema: TableSchema, catalog: CatalogTable, sourceIdOf: SourceIdOf): TableFacts {
  const columns = writtenColumns(schema, catalog);
  return {
    catalog,
    columns,
    key: schema.key.map((name) => columns.find((column) => column.name === name)!),
    uniques: catalog.uniques.filter(
      ({ plain, exclusion }) => exclusion || !catalog.key.every((column) => plain.includes(column)),
    ),
    cascading: catalog.referencedBy.filter(
      ({ onDelete }) => onDelete !== "no action" && onDelete !== "restrict",
    ),
    parents: parentIds(schema, catalog, sourceIdOf),
  };
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
    const keeps = keepsText(column, found);
    const written = {
      name: column.name,
      quoted: quoteName(column.name),
      at,
      catalog: found,
      ...(keeps === undefined ? {} : { keeps }),
    };
    return schema.engine === "postgres"
      ? [written]
      : [{ ...written, convert: (text: string) => convertText(schema.engine, "postgres", column, text) }];
  });
}

function parentIds(schema: TableSchema, catalog: CatalogTable, sourceIdOf: SourceIdOf): readonly string[] {
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
