import type { ColumnSchema, TableSchema } from "@lockstep/core";
import { arrayText, quoteName, quoteTable } from "../sql/quote.js";
import type { CatalogTable, Query } from "./catalog.js";
import { builtInCandidates, managedType } from "./type-mapping.js";
import { widens } from "./widening.js";

/**
 * Statements that make a managed table, or bring it up to a newer schema. A managed table mirrors what the source has already
 * accepted, so it carries the primary key and nothing that could refuse a row: no foreign keys (PROTOCOL.md 29), no UNIQUE, no
 * CHECK, no NOT NULL beside the key, no defaults, no generated columns. Columns that the source drops stay. Pure.
 */
export function managedStatements(
  schema: TableSchema,
  table: CatalogTable | undefined,
  namespace: string,
  builtIn: ReadonlySet<string>,
): readonly string[] {
  const typeOf = (column: ColumnSchema): string => managedType(column, schema.engine, builtIn);
  const name = quoteTable(namespace, schema.name);
  if (table === undefined) {
    const columns = schema.columns.map((column) => `${quoteName(column.name)} ${typeOf(column)}`);
    return [
      `create table ${name} (${columns.join(", ")}, primary key (${schema.key.map(quoteName).join(", ")}))`,
    ];
  }
  return schema.columns.flatMap((column): readonly string[] => {
    const type = typeOf(column);
    const quoted = quoteName(column.name);
    const found = table.columns.find(({ name }) => name === column.name);
    if (found === undefined) return [`alter table ${name} add column ${quoted} ${type}`];
    if (found.generated || !widens(found.type, type)) return [];
    return [`alter table ${name} alter column ${quoted} type ${type} using ${quoted}::${type}`];
  });
}

/** Which of the schemas' types this server has built in. */
export async function builtInTypes(
  query: Query,
  schemas: readonly TableSchema[],
): Promise<ReadonlySet<string>> {
  const columns = schemas.filter(({ engine }) => engine === "postgres").flatMap((schema) => schema.columns);
  const { rows } = await query(
    `select name from unnest($1::text[]) as name
     join pg_type t on t.oid = to_regtype(name) and t.typnamespace = 'pg_catalog'::regnamespace`,
    [arrayText(builtInCandidates(columns))],
  );
  return new Set(rows.map(([name]) => name!));
}
