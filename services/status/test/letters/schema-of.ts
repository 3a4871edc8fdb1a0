import { fingerprintOf, type TableSchema } from "@lockstep/core";

/** A schema of text columns. */
export function schemaOf(table: string, columns: readonly string[], key: readonly string[]): TableSchema {
  const [namespace, name] = table.split(".") as [string, string];
  const shape = {
    engine: "postgres" as const,
    namespace,
    name,
    columns: columns.map((column) => ({
      name: column,
      type: "text",
      kind: "text" as const,
      nullable: !key.includes(column),
    })),
    key,
  };
  return { ...shape, fingerprint: fingerprintOf(shape) };
}
