import { LockstepError, tableId } from "@lockstep/core";
import { type IncrementalTable, joined } from "./incremental-job.js";
import { judgeTable } from "./judge-table.js";
import { readChanges } from "./read-changes.js";
import { removeGone } from "./remove-gone.js";
import { at, type Cursor, type Ended, type IncrementalWork, keepAtLast, movedTo } from "./room.js";
import { SentRows } from "./sent-rows.js";

/** Targets that are new get every row before they share the others' cursors: what those passes read is behind theirs, too. */
export async function join(work: IncrementalWork): Promise<Ended | undefined> {
  const { joining } = work.progress;
  if (joining === undefined) return undefined;
  for (const settings of work.options.tables) {
    const cursor = await cursorOf(work, settings, new SentRows(), joining.targets);
    if (at(cursor).readAt !== undefined && at(cursor).reading === undefined) continue;
    const ended = await readChanges(cursor);
    if (ended !== undefined) return ended;
  }
  return keepAtLast(work, joined(work.progress));
}

/** Sends what has changed in each table, and compares keys where that is due. */
export async function pass(
  work: IncrementalWork,
  sent: Map<string, SentRows>,
  comparesAll: boolean,
): Promise<Ended | undefined> {
  for (const settings of work.options.tables) {
    const id = tableId(settings.table);
    if (!sent.has(id)) sent.set(id, new SentRows());
    const cursor = await cursorOf(work, settings, sent.get(id)!);
    const ended = (await readChanges(cursor)) ?? (await noteUnmarked(cursor));
    if (ended !== undefined) return ended;
    if (!comparesAll && !isDue(cursor)) continue;
    const compared = await removeGone(cursor);
    if (compared !== undefined) return compared;
  }
  return keepAtLast(work, { ...work.progress, passes: work.progress.passes + 1 });
}

/** As the table is now: columns come and go while passes follow each other. */
async function cursorOf(
  work: IncrementalWork,
  settings: IncrementalTable,
  sent: SentRows,
  audience?: readonly string[],
): Promise<Cursor> {
  const surveyed = await work.rows.survey(settings.table);
  if (surveyed === undefined) {
    throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(settings.table)} is gone`);
  }
  judgeTable(surveyed, settings);
  const { column, kind, overlapMs, softDelete } = settings;
  const soft = softDelete === undefined ? {} : { softDelete };
  const watched = { schema: surveyed.schema, column, kind, overlapMs, ...soft };
  return { work, settings, watched, sent, ...(audience !== undefined && { audience }) };
}

async function noteUnmarked(cursor: Cursor): Promise<Ended | undefined> {
  const { hasUnmarked: before, ...table } = at(cursor);
  const hasUnmarked = await cursor.work.rows.hasUnmarked(cursor.watched);
  if (hasUnmarked === (before ?? false)) return undefined;
  const noted = { ...table, ...(hasUnmarked && { hasUnmarked }) };
  return keepAtLast(cursor.work, movedTo(cursor, noted));
}

/** Whether keys are to be compared now, or a comparison was not finished. */
function isDue(cursor: Cursor): boolean {
  const { comparing, comparedAt = 0, readAt = 0 } = at(cursor);
  const { deletesEveryMs = Infinity } = cursor.settings;
  return comparing !== undefined || readAt - comparedAt >= deletesEveryMs;
}
