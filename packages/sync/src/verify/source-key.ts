import { fromCanonical, type TableSchema } from "@lockstep/core";
import type { Key } from "../digest/column.js";
import type { ComparedTable } from "../digest/compared-table.js";

/** A canonical key as the source prints it: what outbox, letters and people know the row by. Pure. */
export function sourceKey({ key }: Pick<ComparedTable, "key">, schema: TableSchema, canonical: Key): Key {
  return key.map(({ name, form }, i) => {
    const text = canonical[i]!;
    const column = schema.columns.find((one) => one.name === name)!;
    if (form === "stored") return text;
    if (column.kind === "boolean")
      return fromCanonical(schema.engine, column, text === "1" ? "true" : "false");
    return fromCanonical(schema.engine, column, text);
  });
}
