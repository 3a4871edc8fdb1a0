import { fromCanonical, type TableSchema } from "@lockstep/core";
import type { Key } from "./column.js";
import type { Form } from "./form.js";

/** A canonical key as the source prints it: what outbox, letters and people know the row by. Pure. */
export function printedKey(
  schema: Pick<TableSchema, "engine" | "columns">,
  key: readonly { readonly name: string; readonly form: Form }[],
  canonical: Key,
): Key {
  return key.map(({ name, form }, i) => {
    const text = canonical[i]!;
    if (form === "stored") return text;
    const column = schema.columns.find((one) => one.name === name)!;
    if (column.kind === "boolean")
      return fromCanonical(schema.engine, column, text === "1" ? "true" : "false");
    return fromCanonical(schema.engine, column, text);
  });
}
