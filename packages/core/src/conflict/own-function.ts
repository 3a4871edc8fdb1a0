import type { RowImage } from "../change-event.js";
import { writeValue } from "../mapping/mapped-value.js";
import { rowReader } from "../mapping/source-row.js";
import type { MappedValue, SourceRow } from "../mapping/table-mapping.js";
import { runUsersCode } from "../mapping/users-code.js";
import { type TableSchema, tableId } from "../table-schema.js";
import type { ConflictFunction } from "./conflict-policy.js";
import { outcomeOf } from "./outcome.js";
import { isSameRow } from "./same-row.js";
import type { Resolution, Resolve, Sides } from "./resolution.js";

/** A policy that a function of the user's makes. */
export function ownFunction(schema: TableSchema, decide: ConflictFunction): Resolve {
  const rowOf = rowReader(schema);
  const message = `the conflict policy of ${tableId(schema)} failed`;
  return (sides) => {
    const shown = (image: RowImage | undefined): SourceRow | null =>
      image === undefined ? null : rowOf(image);
    return runUsersCode("CONFLICT_POLICY_FAILED", message, "the function", () => {
      const [source, target] = [shown(sides.source), shown(sides.target)];
      const row: unknown = decide(source, target, shown(sides.base));
      if (row === null) return removal(sides);
      const image = imageOf(schema, row, [
        [source, sides.source],
        [target, sides.target],
      ]);
      refuseOtherKey(schema, image, (sides.source ?? sides.target)!);
      return outcomeOf(schema, sides, image);
    });
  };
}

function removal({ source, target }: Sides): Resolution {
  if (source === undefined) return { outcome: "source" };
  return { outcome: target === undefined ? "target" : "merged" };
}

function imageOf(
  schema: TableSchema,
  row: unknown,
  given: readonly (readonly [row: SourceRow | null, image: RowImage | undefined])[],
): RowImage {
  if (row instanceof Promise) throw new TypeError("it gave a Promise: it must be synchronous");
  if (typeof row !== "object" || row === null) throw new TypeError("it gave neither a row nor null");
  const known = given.find(([one]) => one === row);
  if (known?.[1] !== undefined) return known[1];
  const values = row as Readonly<Record<string, MappedValue | undefined>>;
  const unknown = Object.keys(values).filter(
    (name) => !schema.columns.some((column) => column.name === name),
  );
  if (unknown.length > 0)
    throw new TypeError(`it gave columns that the table doesn't have: ${unknown.join(", ")}`);
  return schema.columns.map((column, i) => {
    const value = values[column.name];
    if (value === undefined) throw new TypeError(`it left out column ${column.name}`);
    // What it took over is written as it was printed: not every text comes back from a value as it was.
    for (const [side, image] of given)
      if (side !== null && isKnown(image?.[i]) && side[column.name] === value) return image![i]!;
    return writeValue(schema.engine, column, value);
  });
}

function isKnown(cell: RowImage[number] | undefined): boolean {
  return cell !== undefined && cell !== 0;
}

function refuseOtherKey(schema: TableSchema, image: RowImage, known: RowImage): void {
  const keyOf = (row: RowImage): RowImage =>
    schema.columns.map(({ name }, i) => (schema.key.includes(name) ? row[i]! : 0));
  if (!isSameRow(schema, keyOf(image), keyOf(known))) throw new TypeError("it gave a row with another key");
}
