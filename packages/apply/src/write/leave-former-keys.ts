import { tableId } from "@lockstep/core";
import { type RowId, rowId, type Segment, withoutBefore } from "../batch/planned-changes.js";
import { isolateGuarded } from "./guard/isolate-guarded.js";
import { mapRemove, type RoutedRow } from "./map-change.js";
import { type Refused, regroup, rowIdOf, sourceOf } from "./refused.js";
import type { StepRoom } from "./step-room.js";

type Removal = Refused & { readonly kind: "remove" };

/**
 * A refused row that would have changed its key leaves the old key all the same: a letter that still had to move a row would move
 * whichever row has taken the old key meanwhile. With unknown cells there is no other way, because the rest of the row lies there.
 */
export async function leaveFormerKeys(
  room: StepRoom,
  refused: readonly Refused[],
): Promise<readonly Refused[]> {
  const left: Removal[] = [];
  const rows = refused.map((one): Refused => {
    if (!leavesKey(one)) return one;
    left.push(...formerRows(room, one).map((row): Removal => ({ ...row, fault: one.fault })));
    return settled(one);
  });
  if (left.length === 0) return refused;
  // The old row can't go yet: its letter waits for the new row's, and both go together.
  const newKeys = new Map(rows.map((one) => [one.row.event, rowIdOf(one)]));
  const stuck = await isolateGuarded(room, regroup(left));
  return [...rows, ...stuck.map((one) => waiting(one, newKeys.get(one.row.event)))];
}

/** The same for those whose old key a segment is about to give to another row: afterwards nothing could tell the two apart. */
export async function leaveKeysFor(
  room: StepRoom,
  { tables }: Segment,
  refused: readonly Refused[],
): Promise<readonly Refused[]> {
  if (!refused.some(leavesKey)) return refused;
  const taken = new Set(
    tables.flatMap(({ schema, writes }) => writes.map(({ key }) => rowId(tableId(schema), key))),
  );
  const isTaken = (one: Refused): boolean => leavesKey(one) && taken.has(formerRowId(one));
  if (!refused.some(isTaken)) return refused;
  const left = await leaveFormerKeys(room, refused.filter(isTaken));
  return [...refused.filter((one) => !isTaken(one)), ...left];
}

function formerRowId(one: Write): RowId {
  const { schema, before } = sourceOf(one).row as Write["row"];
  return rowId(tableId(schema), before!);
}

type Write = Refused & { readonly kind: "write" };

function leavesKey(one: Refused): one is Write {
  const source = sourceOf(one);
  return (
    one.kind === "write" && source.kind === "write" && source.row.before !== undefined && !source.row.partial
  );
}

/** What lies under the old key: in the table that refused the row, or in all that it would have gone to when it could not even be mapped. */
function formerRows({ tables }: StepRoom, one: Write): readonly (RoutedRow & { readonly kind: "remove" })[] {
  const source = sourceOf(one).row;
  const { schema, event, part } = source;
  const row = { key: (source as Write["row"]).before!, schema, event, part };
  const routes = tables.routesOf(schema.fingerprint);
  const here = one.row.source === undefined ? routes : routes.filter(({ table }) => table === one.table);
  return here.map((route) => mapRemove(row, route));
}

function settled(one: Write): Refused {
  const row = withoutBefore(one.row);
  const { source } = row;
  if (source?.kind !== "write") return { ...one, row };
  return {
    ...one,
    row: { ...row, image: row.image, source: { kind: "write", row: withoutBefore(source.row) } },
  };
}

function waiting(one: Refused, waitsFor: RowId | undefined): Refused {
  return waitsFor === undefined ? one : { ...one, waitsFor };
}
