import type { AppendedChunk } from "@lockstep/core";
import { firstChunk, nextChunk, smallerChunk } from "./chunk-size.js";
import { type TableProgress, withTable } from "./full-sync-job.js";
import { type FullSyncWork, placesOf, stoppedBy, type Stopped } from "./room.js";
import { waitForRoom } from "./wait.js";

/** Copies what is left of a table, chunk by chunk; `undefined` when it is copied. */
export async function copyTable(work: FullSyncWork, place: number): Promise<Stopped | undefined> {
  const { bounds, claim, flow, pace, now, sleep } = work;
  let size = Math.min(firstChunk(work.progress.tables[place]!.estimatedRowBytes, bounds), pace.most());
  let refusals = 0;
  while (work.progress.tables[place]!.phase === "copying") {
    const stopped = await waitForRoom(work);
    if (stopped !== undefined) return stopped;
    const began = now();
    try {
      const appended = await copyChunk(work, place, size);
      if (appended === undefined) return stoppedBy(await claim.read()) ?? "lost";
      refusals = 0;
      size = nextChunk(size, { ...appended, ms: now() - began }, bounds);
      flow.sent(appended.rows);
      work.told();
      // At a low rate small chunks, evenly, instead of a large one now and then.
      size = Math.min(size, pace.most());
      await sleep(pace.after(appended.rows, now()));
    } catch (error) {
      if (!claim.yielded(error)) throw error;
      size = smallerChunk(size);
      work.told("a row that the application holds");
      await sleep(Math.min(1_000, 10 * 2 ** refusals++));
    }
  }
  return undefined;
}

/** One chunk and the progress behind it, in one transaction. `undefined` when the job isn't this process's to go on with. */
async function copyChunk(
  work: FullSyncWork,
  place: number,
  rows: number,
): Promise<AppendedChunk | undefined> {
  const { claim, snapshots, options, progress } = work;
  const table = progress.tables[place]!;
  if (table.phase !== "copying") return undefined;
  const audience = placesOf(work, table).map((target) => options.targets[target]!.id);
  let appended: AppendedChunk | undefined;
  let moved = progress;
  const isKept = await claim.step(async (run) => {
    const { after, through } = table;
    const chunk = {
      table: table.table,
      through,
      rows,
      ...(after !== undefined && { after }),
      ...(options.where !== undefined && { where: options.where }),
    };
    appended = await snapshots.append(run, chunk, { audience });
    moved = withTable(progress, place, movedBy(table, appended));
    return { progress: moved };
  });
  if (!isKept) return undefined;
  work.progress = moved;
  return appended;
}

function movedBy(
  table: Extract<TableProgress, { readonly phase: "copying" }>,
  { rows, last }: AppendedChunk,
): TableProgress {
  const copied = table.rows + rows;
  if (last !== undefined) return { ...table, rows: copied, after: last };
  const { after: _, through: __, ...rest } = table;
  return { ...rest, rows: copied, phase: "copied" };
}
