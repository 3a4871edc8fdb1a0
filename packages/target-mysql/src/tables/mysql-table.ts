import { tableId, type Cell, type RowImage, type TableSchema, type TargetTable } from "@lockstep/core";
import { quoteName, quoteTable } from "../sql/literal.js";
import type { CatalogTable, TargetColumn, UniqueKey } from "./catalog.js";
import { writerOf, type WriteCell } from "./column-writer.js";
import { isSelfReference, type ForeignKey } from "./foreign-keys.js";

/** A column that this target writes. */
export interface PlannedColumn {
  readonly name: string;
  readonly quoted: string;
  /** Place in the schema and in every image. */
  readonly place: number;
  readonly target: TargetColumn;
  readonly write: WriteCell;
}

/** A target table with everything that writing its rows needs, worked out once per schema. */
export interface TablePlan extends TargetTable {
  readonly catalog: CatalogTable;
  /** The quoted name. */
  readonly table: string;
  /** Every column that is written, key included. */
  readonly columns: readonly PlannedColumn[];
  readonly key: readonly PlannedColumn[];
  /** Unique keys that rows with different primary keys can violate. */
  readonly uniques: readonly UniqueKey[];
  /** Foreign keys of the table that point to itself. */
  readonly selfKeys: readonly ForeignKey[];
  /** Source table id of a target table that a foreign key points to. */
  parentId(key: ForeignKey): string;
}

/** Knows which source table a target table mirrors. */
export type SourceOf = (targetName: string) => string | undefined;

/** Plans a table that has passed its check. */
export function planTable(schema: TableSchema, catalog: CatalogTable, sourceOf: SourceOf): TablePlan {
  const columns = schema.columns.flatMap((column, place): PlannedColumn[] => {
    const target = catalog.columns.get(column.name.toLowerCase());
    // A column that the target computes itself can't be written.
    if (target === undefined || target.generated) return [];
    const write = writerOf(schema.engine, column, target);
    return [{ name: target.name, quoted: quoteName(target.name), place, target, write }];
  });
  const selfKeys = catalog.outbound.filter(isSelfReference);
  const uniques = catalog.uniques.filter(
    ({ columns: names, prefix }) => prefix || !catalog.key.every((name) => names.includes(name)),
  );
  const others = catalog.outbound.filter((key) => !isSelfReference(key));
  const parentId = (key: ForeignKey): string =>
    sourceOf(key.parent.name) ?? tableId({ namespace: schema.namespace, name: key.parent.name });
  return {
    schema,
    catalog,
    name: `${catalog.schema}.${catalog.name}`,
    table: quoteTable(catalog.schema, catalog.name),
    columns,
    key: schema.key.map((name) =>
      columns.find((column) => column.name.toLowerCase() === name.toLowerCase())!,
    ),
    uniques,
    selfKeys,
    selfReferencing: selfKeys.length > 0,
    hasSecondaryUnique: uniques.length > 0,
    keyOrder: catalog.key,
    parentId,
    // Read when asked: a parent's schema may arrive after its child's.
    get parents() {
      return [...new Set(others.map(parentId))];
    },
  };
}

/** A cell as SQL; NULL for null. Unknown cells (`0`) must have been left out. */
export function cellLiteral(column: PlannedColumn, cell: Cell | undefined): string {
  return typeof cell === "string" ? column.write(cell) : "NULL";
}

/** `(…)` for INSERT, in the order of `columns`. */
export function rowLiteral(columns: readonly PlannedColumn[], image: RowImage): string {
  let sql = "(";
  for (let i = 0; i < columns.length; i += 1) {
    if (i > 0) sql += ",";
    sql += cellLiteral(columns[i]!, image[columns[i]!.place]);
  }
  return `${sql})`;
}

/** Texts of a JSON key. */
export function keyTexts(key: string): readonly string[] {
  return JSON.parse(key) as readonly string[];
}

/** `INSERT INTO t (…) VALUES `. */
export function insertHead(plan: TablePlan): string {
  return `INSERT INTO ${plan.table} (${plan.columns.map((column) => column.quoted).join(",")}) VALUES `;
}
