import type { ChangeEvent, TableSchema } from "@lockstep/core";

/** A change without its place in the stream. */
export type Change = Omit<ChangeEvent, "ordinal">;

/** The row now looks like this; its key is the first cell. */
export function put(schema: TableSchema, ...cells: readonly (string | null | 0)[]): Change {
  return {
    op: "update",
    schema: schema.fingerprint,
    key: JSON.stringify([cells[0]]),
    image: JSON.stringify(cells),
  };
}

/** The same of a row whose key was `before`. */
export function move(before: string, schema: TableSchema, ...cells: readonly (string | null | 0)[]): Change {
  return { ...put(schema, ...cells), before: JSON.stringify([before]) };
}

/** The row is gone. */
export function gone(schema: TableSchema, id: string): Change {
  return { op: "delete", schema: schema.fingerprint, key: JSON.stringify([id]) };
}

/** The table is empty. */
export function truncated(schema: TableSchema): Change {
  return { op: "truncate", schema: schema.fingerprint, key: "[]" };
}
