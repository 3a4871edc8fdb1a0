import type { Cell, RowImage, TableSchema } from "@lockstep/core";
import { isPartial } from "../batch/merge-images.js";
import type { PlannedRemove, PlannedWrite } from "../batch/planned-changes.js";
import type { RowSet, WriteSet } from "./arrange.js";
import { isLoosened } from "./guard/perform-guarded.js";

/**
 * Writes that untie rows which point to each other in a circle: before the rows themselves are written, they are made with only what must not be
 * NULL; before they are removed, whatever may be NULL is (PROTOCOL.md 17: some source transactions can't be replayed in any order of their final
 * rows). The rows must all be written or removed before the commit. Pure; in the order of the sets.
 */
export function looseningSets(sets: readonly RowSet[]): WriteSet[] {
  return sets.flatMap((set): WriteSet[] => {
    const { table } = set;
    if (set.kind === "remove") {
      return pointsElsewhere(set) ? [{ kind: "write", table, rows: set.rows.map(hollow) }] : [];
    }
    const rows = set.rows.filter(isLoosened).map(unrecorded);
    return [{ kind: "write", table, rows: pointsElsewhere(set) ? rows.map(skeleton) : rows }];
  });
}

function pointsElsewhere({ table }: RowSet): boolean {
  return table.parents.length > 0 || table.selfReferencing;
}

// What was decided is kept with the row itself.
function unrecorded(row: PlannedWrite): PlannedWrite {
  if (row.guard === undefined) return row;
  const { conflict: _, decided: __, ...guard } = row.guard;
  return { ...row, image: row.image, guard };
}

/** A new row gets NULL, or the default, for what is left open; a row that is there keeps what it has. */
function skeleton(row: PlannedWrite): PlannedWrite {
  const image = row.image.map((cell, i) => (mayBeNull(row.schema, i) ? 0 : cell));
  return { ...row, image, partial: isPartial(image) };
}

function hollow({ key, schema, event, part }: PlannedRemove): PlannedWrite {
  const texts = JSON.parse(key) as string[];
  const image: RowImage = schema.columns.map(({ name }, i): Cell => {
    const at = schema.key.indexOf(name);
    if (at >= 0) return texts[at] ?? null;
    return mayBeNull(schema, i) ? null : 0;
  });
  return { key, image, schema, event, part, partial: isPartial(image) };
}

function mayBeNull(schema: TableSchema, index: number): boolean {
  const column = schema.columns[index];
  return column?.nullable === true && !schema.key.includes(column.name);
}
