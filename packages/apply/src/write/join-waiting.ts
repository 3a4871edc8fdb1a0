import { maxPageBytes, type DeadLetterDetail } from "@lockstep/core";
import { type RowId, rowId } from "../batch/planned-changes.js";
import { isolateGuarded } from "./guard/isolate-guarded.js";
import { applied, letterRows } from "./letter-rows.js";
import { dependsOnOthers, type Refused, regroup, rowIdOf, untried } from "./refused.js";
import { resolve } from "./resolve.js";
import type { StepRoom } from "./step-room.js";

/** Which rows are about to be joined. */
export interface Joining {
  /** The live letter of a refused row. */
  readonly letterOf: (refused: Refused) => string | undefined;
  /** Rows that the step writes itself, from newer images than their letters'. */
  readonly isTaken: (row: RowId) => boolean;
}

/**
 * Tries rows that failed for want of others again, together with the letters that wait for them: a changed key whose old row still holds the
 * unique value, while its children, which hold the old row, wait for the new one, can only be written all at once (PROTOCOL.md 17). Returns
 * what is still refused; waiting letters that applied are over, the others wait on.
 */
export async function joinWaiting(
  room: StepRoom,
  refused: readonly Refused[],
  { letterOf, isTaken }: Joining,
): Promise<readonly Refused[]> {
  const open = refused.filter(dependsOnOthers);
  const waiting = await waitingOn(room, open, letterOf);
  const letters = waiting.filter(({ table, key }) => !isTaken(rowId(table, key)));
  if (letters.length === 0) return refused;
  const joining = letterRows(room, letters);
  const { onRefused: _, ...uncounted } = room;
  const rows = joining.rows.map((row): Refused => ({ ...row, fault: untried }));
  const still = await isolateGuarded(uncounted, regroup([...open, ...rows]));
  const failed = new Map(still.map((one) => [rowIdOf(one), one]));
  await resolve(room, applied(joining.letters, [...joining.failed, ...still]), "applied");
  return refused.flatMap((one) => {
    if (!dependsOnOthers(one)) return [one];
    const again = failed.get(rowIdOf(one));
    return again === undefined ? [] : [{ ...one, fault: again.fault }];
  });
}

async function waitingOn(
  { letters, maxReleased }: StepRoom,
  open: readonly Refused[],
  letterOf: Joining["letterOf"],
): Promise<DeadLetterDetail[]> {
  const waiting: DeadLetterDetail[] = [];
  let bytes = 0;
  for (const one of open) {
    const id = letterOf(one);
    if (id === undefined || waiting.length >= maxReleased || bytes >= maxPageBytes) continue;
    const more = await letters.waiting(id, maxReleased - waiting.length);
    for (const { image } of more) bytes += image?.length ?? 0;
    waiting.push(...more);
  }
  return waiting;
}
