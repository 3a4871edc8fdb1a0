import type { Mask, TableSchema } from "@lockstep/core";
import type { FleetTarget } from "../fleet/fleet.js";
import type { SchemaBook } from "./schema-book.js";

/** What is hidden, and which columns tables have. */
export interface Shade {
  readonly mask: Mask;
  readonly schemas: SchemaBook;
}

/**
 * Schemas of a target's letters whose keys are shown whole, and so may be searched: a masked text could be guessed, letter by letter, by what a
 * search finds. `undefined`: all may.
 */
export async function shownKeys(
  { target, door }: FleetTarget,
  { mask, schemas }: Shade,
): Promise<readonly string[] | undefined> {
  if (mask.isEmpty) return undefined;
  const found = await door.ask(() => target.letters.schemas());
  const shown = found.map(async ({ source, table, schema }) => {
    const isShown = !mask.mayHide(table) || showsKey(mask, table, await schemas.find(source, schema));
    return isShown ? [schema] : [];
  });
  return (await Promise.all(shown)).flat();
}

// A table whose columns aren't known may have a masked one in its key.
function showsKey(mask: Mask, table: string, schema: TableSchema | undefined): boolean {
  return schema !== undefined && !schema.key.some((column) => mask.hides(table, column));
}
