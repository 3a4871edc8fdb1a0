import {
  type ColumnKind,
  type ColumnSchema,
  fingerprintOf,
  type RowWrite,
  type TableSchema,
} from "@lockstep/core";

/** A column of a PostgreSQL source: type and kind. */
export type SourceColumn = readonly [type: string, kind: ColumnKind];

/** The schema of a PostgreSQL source table `public.<name>`. */
export function sourceTable(
  name: string,
  columns: Readonly<Record<string, SourceColumn>>,
  key: readonly string[] = [Object.keys(columns)[0]!],
): TableSchema {
  const described: readonly ColumnSchema[] = Object.entries(columns).map(([column, [type, kind]]) => ({
    name: column,
    type,
    kind,
    nullable: !key.includes(column),
  }));
  const schema = { engine: "postgres" as const, namespace: "public", name, columns: described, key };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

/** A write whose key is the image's first cells. */
export function row(image: RowWrite["image"], keyColumns = 1): RowWrite {
  return { key: JSON.stringify(image.slice(0, keyColumns)), image };
}
