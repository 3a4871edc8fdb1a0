import type { RowImage } from "../change-event.js";
import { LockstepError } from "../errors.js";
import { type TableSchema, tableId } from "../table-schema.js";
import { readValue } from "./mapped-value.js";
import type { MappedValue, SourceRow } from "./table-mapping.js";

/** Makes rows of one schema for a mapping's functions: cells are read when they are asked for. */
export function rowReader(schema: TableSchema): (image: RowImage) => SourceRow {
  const indexOf = new Map(schema.columns.map(({ name }, i) => [name, i]));
  const names = [...indexOf.keys()];

  function read(image: RowImage, name: string): MappedValue {
    const at = indexOf.get(name);
    if (at === undefined) throw new TypeError(`${tableId(schema)} has no column ${name}`);
    const column = schema.columns[at]!;
    const cell = image[at] ?? (at < image.length ? null : 0);
    if (cell === 0) throw needsWholeImage(schema, name);
    return cell === null ? null : readValue(schema.engine, column, cell);
  }

  const handler: ProxyHandler<{ readonly image: RowImage }> = {
    // A misspelt column must not pass for NULL. Symbols are what printing and comparing ask for.
    get: ({ image }, name) => (typeof name === "string" ? read(image, name) : undefined),
    has: (_, name) => typeof name === "string" && indexOf.has(name),
    ownKeys: () => names,
    getOwnPropertyDescriptor: ({ image }, name) =>
      typeof name === "string" && indexOf.has(name)
        ? { value: read(image, name), enumerable: true, configurable: true }
        : undefined,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  };
  return (image) => new Proxy({ image }, handler) as unknown as SourceRow;
}

/** The error of a change that lacks a cell which the mapping can't do without (PROTOCOL.md 18). */
export function needsWholeImage(schema: TableSchema, column: string): LockstepError {
  return new LockstepError(
    "MAPPING_NEEDS_WHOLE_IMAGE",
    `the mapping of ${tableId(schema)} needs column ${column}, which the change doesn't carry`,
    { details: { about: column } },
  );
}
