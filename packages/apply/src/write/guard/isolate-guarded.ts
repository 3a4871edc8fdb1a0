import { type Isolation, isolate } from "../isolate.js";
import type { RowSet } from "../arrange.js";
import { type Refused, regroup } from "../refused.js";
import type { StepGuard } from "./step-guard.js";

/** Isolates what the guard lets pass; rows whose policy failed are among those refused. */
export async function isolateGuarded(
  room: Isolation & { readonly guard?: StepGuard },
  sets: readonly RowSet[],
): Promise<readonly Refused[]> {
  const { guard } = room;
  if (guard === undefined) return isolate(room, sets);
  const passed = await guard.look(sets);
  for (const one of passed.failed) room.onRefused?.(one);
  const refused = await isolate(room, passed.sets);
  const met = refused.filter(wasMade);
  if (met.length === 0) return [...passed.failed, ...refused];
  // Somebody else made the row since it was looked for: now it is there to be seen, and locked.
  for (const { row } of met) guard.uncount(row.guard?.conflict);
  const again = await guard.look(regroup(met.map(asItCame)));
  return [
    ...passed.failed,
    ...refused.filter((one) => !wasMade(one)),
    ...again.failed,
    ...(await isolate(room, again.sets)),
  ];
}

function wasMade({ row, fault }: Refused): boolean {
  return row.guard?.insert === true && fault.code === "TARGET_UNIQUE";
}

function asItCame(one: Refused): Refused {
  if (one.kind === "remove") return one;
  const { guard, ...row } = one.row;
  return { ...one, row: guard?.incoming ?? { ...row, image: one.row.image } };
}
