import type { TableReader, TableSchema } from "@lockstep/core";
import type { Dialect, StoredColumn } from "./column.js";
import { mysqlDialect } from "./mysql-dialect.js";
import { postgresDialect } from "./postgres-dialect.js";

/** The SQL of each engine. */
export const dialects: Readonly<Record<TableReader["engine"], Dialect>> = {
  postgres: postgresDialect,
  mysql: mysqlDialect,
};

/** The columns of a table in its order; none: there is no such table. */
export async function columnsOf(
  reader: TableReader,
  { namespace, name }: Pick<TableSchema, "namespace" | "name">,
): Promise<readonly StoredColumn[]> {
  const query = dialects[reader.engine].columnsQuery(reader.namespace ?? namespace, name);
  return (await reader.rows(query)).map(([name, type, collation, key]) => ({
    name: name!,
    type: type!,
    ...(collation != null && { collation }),
    ...(key != null && { key: Number(key) }),
  }));
}
