import type { RowWrite, TableSchema } from "@lockstep/core";
import { quoteTable } from "../sql/quote.js";
import type { CatalogForeignKey } from "../tables/catalog.js";
import type { LaneTables } from "../tables/lane-tables.js";
import { isSame, type PostgresTable } from "../tables/postgres-table.js";
import { keyArrays } from "./keys.js";
import { matches, rowSource } from "./row-source.js";
import type { RunInStep } from "./statements.js";

/** A row of a source table. */
export interface RowName {
  readonly table: string;
  readonly key: string;
}

/**
 * Parents that a row names and the target lacks. Foreign keys to something else than a known table's primary key, and images
 * that don't know their columns, say nothing.
 */
export async function missingParents(
  run: RunInStep,
  tables: LaneTables,
  table: PostgresTable,
  write: RowWrite,
): Promise<readonly RowName[]> {
  const missing: RowName[] = [];
  for (const foreignKey of table.catalog.foreignKeys) {
    const parent = parentOf(tables, foreignKey);
    const key = parent === undefined ? undefined : parentKey(table.schema, foreignKey, parent, write);
    if (parent === undefined || key === undefined) continue;
    if (!(await exists(run, parent.table, key))) missing.push({ table: parent.id, key });
  }
  return missing;
}

interface Parent {
  readonly id: string;
  readonly table: PostgresTable;
}

function parentOf(tables: LaneTables, { parent }: CatalogForeignKey): Parent | undefined {
  const id = tables.sourceOf(parent.name);
  const table = id === undefined ? undefined : tables.bySource(id);
  return id === undefined || table === undefined || !isSame(parent, table.catalog)
    ? undefined
    : { id, table };
}

/** The parent's JSON key as the source would write it: the child's texts, in the order of the parent's key. */
function parentKey(
  schema: TableSchema,
  { child, parent }: CatalogForeignKey,
  { table }: Parent,
  { image }: RowWrite,
): string | undefined {
  if (parent.columns.length !== table.schema.key.length) return undefined;
  const texts = table.schema.key.map((column) => {
    const own = child.columns[parent.columns.indexOf(column)];
    return image[schema.columns.findIndex(({ name }) => name === own)];
  });
  return texts.every((text) => typeof text === "string") ? JSON.stringify(texts) : undefined;
}

async function exists(run: RunInStep, table: PostgresTable, key: string): Promise<boolean> {
  const source = rowSource(table.key);
  const name = quoteTable(table.catalog.namespace, table.catalog.name);
  const text = `select 1 from ${source.from} join ${name} t on ${matches(table.key, source.values)}`;
  const [answer] = await run([{ text, values: keyArrays(table, [key]) }]);
  return answer!.rows.length > 0;
}
