import type { ColumnSchema, TableSchema } from "@lockstep/core";
import type pg from "pg";
import { postgresColumnKind, postgresTypeSize } from "./column-kind.js";

/** What the catalog says of a table, as `make_shape` keeps it. */
export interface TableDefinition {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly nullable: boolean;
    readonly generated: boolean;
    readonly base: string;
    readonly enum: boolean;
    readonly typmod: number;
  }[];
  readonly key: readonly string[];
}

/** The schema that a stored definition stands for. Pure. */
export function tableSchemaOf(fingerprint: string, definition: TableDefinition): TableSchema {
  const { namespace, name, key } = definition;
  return { engine: "postgres", namespace, name, columns: definition.columns.map(columnOf), key, fingerprint };
}

function columnOf(column: TableDefinition["columns"][number]): ColumnSchema {
  return {
    name: column.name,
    type: column.type,
    kind: postgresColumnKind(column.base, column.enum),
    nullable: column.nullable,
    ...postgresTypeSize(column.base, column.typmod),
    ...(column.generated ? { generated: true } : {}),
  };
}

/** Every schema the outbox knows; `others`: a table that keeps more of them. */
export async function readSchemas(client: pg.ClientBase, s: string, others?: string): Promise<TableSchema[]> {
  const all =
    others === undefined
      ? `${s}.table_schema`
      : `(select fingerprint, definition from ${s}.table_schema union all select fingerprint, definition from ${others}) k`;
  const { rows } = await client.query<{ fingerprint: string; definition: string }>(
    `select distinct on (fingerprint) fingerprint, definition from ${all} order by fingerprint`,
  );
  return rows.map(({ fingerprint, definition }) => schemaOf(fingerprint, JSON.parse(definition) as object));
}

/** What another database's table looks like stands there as it is; of a table of this one, what the catalog says of it. */
function schemaOf(fingerprint: string, kept: object): TableSchema {
  return "engine" in kept ? (kept as TableSchema) : tableSchemaOf(fingerprint, kept as TableDefinition);
}
