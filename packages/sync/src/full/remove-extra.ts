import type { KeyPage } from "@lockstep/core";
import { type TableProgress, withTable } from "./full-sync-job.js";
import { heldTables } from "./held-tables.js";
import { keep, stubborn, whyNot } from "./keep.js";
import { type FullSyncWork, placesOf, type Stopped } from "./room.js";
import { waitForRoom } from "./wait.js";

type Key = readonly string[];
type Removing = Extract<TableProgress, { readonly phase: "removing" }>;

const keysPerPage = 5_000;
const noKeys: KeyPage = { keys: [] };
/** Judged under a lock on the table: the more, the longer it is held. */
const candidatesPerLock = 500;

/** Removes from each target the rows of a table that the source doesn't have; `undefined` when all are looked at. */
export async function removeExtra(work: FullSyncWork, place: number): Promise<Stopped | undefined> {
  for (;;) {
    const table = work.progress.tables[place]!;
    if (table.phase === "done") return undefined;
    if (table.noExtra)
      return keep(work, withTable(work.progress, place, { ...withoutKeys(table), phase: "done" }));
    const removing: Removing =
      table.phase === "removing"
        ? table
        : { ...withoutKeys(table), phase: "removing", target: placesOf(work, table)[0]! };
    const stopped = (await waitForRoom(work)) ?? (await removePage(work, place, removing));
    if (stopped !== undefined) return stopped;
    work.told();
  }
}

async function removePage(work: FullSyncWork, place: number, table: Removing): Promise<Stopped | undefined> {
  const { after } = table;
  const held = heldTables(work.schemaOf(table.table), work.targets[table.target]!);
  const mirror = held[table.route ?? 0];
  const page = { limit: keysPerPage, ...(after !== undefined && { after }) };
  const { target } = work.targets[table.target]!;
  const { keys, next } = (mirror && (await target.keys?.(mirror.schema, page))) ?? noKeys;
  const candidates = await lookUp(
    work,
    table,
    keys.flatMap((key) => mirror!.sourceKey(key)),
  );
  if (typeof candidates === "string") return candidates;
  let moved = table;
  for (let rest = candidates; rest.length > 0;) {
    const judged = await judge(work, place, moved, rest);
    if (typeof judged === "string") return judged;
    work.flow.sent(judged.removed);
    moved = { ...moved, removed: moved.removed + judged.removed };
    rest = rest.slice(judged.count);
  }
  const behind = behindPage(moved, next, { routes: held.length, targets: placesOf(work, table) });
  return keep(work, withTable(work.progress, place, behind));
}

/** Where to go on: behind the page, at the next table that it is mapped into, at the next target, or nowhere. Pure. */
function behindPage(
  table: Removing,
  next: Key | undefined,
  { routes, targets }: { readonly routes: number; readonly targets: readonly number[] },
): TableProgress {
  if (next !== undefined) return { ...table, after: next };
  const { after: _, route = 0, ...rest } = table;
  if (route + 1 < routes) return { ...rest, route: route + 1 };
  const target = targets.find((other) => other > table.target);
  if (target !== undefined) return { ...rest, target };
  const { target: __, ...done } = rest;
  return { ...done, phase: "done" };
}

/** Which of these keys the source seems to lack. */
async function lookUp(
  work: FullSyncWork,
  table: Removing,
  keys: readonly Key[],
): Promise<readonly Key[] | Stopped> {
  let absent: readonly Key[] = [];
  const isMine = await stubborn(work, () =>
    work.claim.step(async (run) => {
      absent = await work.snapshots.absent(run, table.table, keys);
      return { progress: work.progress };
    }),
  );
  return isMine ? absent : ((await whyNot(work)) as Stopped);
}

/** Writes deletes for those of the first candidates that are sure to be absent; for fewer, when it had to give way. */
async function judge(
  work: FullSyncWork,
  place: number,
  table: Removing,
  candidates: readonly Key[],
): Promise<{ readonly count: number; readonly removed: number } | Stopped> {
  const audience = [work.options.targets[table.target]!.id];
  let [count, removed] = [0, 0];
  let moved = work.progress;
  const isMine = await stubborn(work, (refusals) =>
    work.claim.step(
      async (run) => {
        const some = candidates.slice(0, Math.max(1, Math.floor(candidatesPerLock / 4 ** refusals)));
        count = some.length;
        removed = await work.snapshots.appendAbsent(run, table.table, some, { audience });
        moved = withTable(work.progress, place, { ...table, removed: table.removed + removed });
        return { progress: moved };
      },
      { absence: true },
    ),
  );
  if (!isMine) return whyNot(work);
  work.progress = moved;
  return { count, removed };
}

function withoutKeys(table: TableProgress) {
  const { table: named, estimatedRows, estimatedRowBytes, rows, removed, targets } = table;
  return {
    table: named,
    rows,
    removed,
    ...(estimatedRows !== undefined && { estimatedRows }),
    ...(estimatedRowBytes !== undefined && { estimatedRowBytes }),
    ...(targets !== undefined && { targets }),
  };
}
