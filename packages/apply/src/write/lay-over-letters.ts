import { type RowImage, type TableSchema, tableId } from "@lockstep/core";
import { isPartial, mergeImages } from "../batch/merge-images.js";
import {
  type PlannedRemove,
  type PlannedWrite,
  type RowId,
  rowId,
  type Segment,
  type TableChanges,
} from "../batch/planned-changes.js";

/** A change that the target never took. */
export interface Untaken {
  /** Its image with the schema that names the cells; absent for a delete. */
  readonly image?: { readonly schema: TableSchema; readonly image: RowImage };
  /** The key that the row still has in the target. */
  readonly before?: string;
}

/**
 * Changes laid over what the target never took of the same rows: a partial image is completed from the older image
 * (PROTOCOL.md 18), and a key change that was never made is made now. Pure.
 */
export function layOver(segments: readonly Segment[], untaken: ReadonlyMap<RowId, Untaken>): Segment[] {
  const open = new Map(untaken);
  return segments.map((segment) => ({ ...segment, tables: segment.tables.map((t) => overTable(t, open)) }));
}

function overTable(changes: TableChanges, untaken: Map<RowId, Untaken>): TableChanges {
  const table = tableId(changes.schema);
  const take = (key: string): Untaken | undefined => {
    const row = rowId(table, key);
    const older = untaken.get(row);
    untaken.delete(row);
    return older;
  };
  const writes = changes.writes.map((write) => {
    const former = write.before === undefined ? undefined : take(write.before);
    return overWrite(write, take(write.key), former);
  });
  const removes = changes.removes.flatMap((remove) => overRemove(remove, take(remove.key)));
  return { ...changes, writes, removes };
}

function overWrite(write: PlannedWrite, own?: Untaken, former?: Untaken): PlannedWrite {
  const base = own?.image ?? former?.image;
  const image = write.partial && base ? mergeImages(base, write) : write.image;
  const before = former?.before ?? write.before ?? own?.before;
  const { before: _, ...rest } = write;
  const whole = { ...rest, image, partial: isPartial(image) };
  return before === undefined || before === write.key ? whole : { ...whole, before };
}

function overRemove(remove: PlannedRemove, own?: Untaken): PlannedRemove[] {
  return own?.before === undefined ? [remove] : [remove, { ...remove, key: own.before }];
}
