import {
  type BulkLayout,
  type BulkLoader,
  isLockstepError,
  liveLetterStates,
  tableId,
  type TableSchema,
  type Target,
  type TargetTable,
} from "@lockstep/core";
import { keep } from "../keep.js";
import { parentsFirst } from "../parents-first.js";
import type { FullSyncWork, Stopped } from "../room.js";
import { waitForTargets } from "../wait.js";
import type { BulkRoom } from "./bulk-room.js";
import { type HeldLanes, holdLanes, type HoldableTarget } from "./hold-lanes.js";
import { loadTable } from "./load-table.js";
import { loadsOf, untouched, withLoads, withoutLoad } from "./loads.js";

/** Changes don't wait longer than this; then the target takes up what has happened since, before its lanes are held again. */
const defaultHoldMs = 5 * 60_000;
const settleMs = 2_000;
/** Letters of a table that are tried again behind its load. */
const maxLetters = 10_000;

/** A target that rows can be loaded into. */
type LoadableTarget = HoldableTarget &
  Pick<Target, "letters" | "classify"> &
  Required<Pick<Target, "loader">>;

/**
 * Copies tables that are empty in a target past the stream, while the target's lanes are held: their checkpoint stands still, everything that was committed before
 * is seen by what reads the rows, and everything after is done again over the copy when the lanes go on by themselves. So no position is needed for the copy,
 * nothing is left out, and nothing is there twice. `undefined` when all that can go this way has gone.
 */
export async function loadTables(work: FullSyncWork): Promise<Stopped | undefined> {
  const { bulk } = work;
  if (bulk === undefined) return undefined;
  for (const place of work.targets.keys()) {
    const stopped = await loadTarget(work, bulk, place);
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}

async function loadTarget(work: FullSyncWork, bulk: BulkRoom, place: number): Promise<Stopped | undefined> {
  const target = loadable(work.targets[place]!);
  while (isWanted(work, place)) {
    const stopped =
      target === undefined ? await leave(work, place) : await holding(work, bulk, place, target);
    if (stopped !== undefined) return stopped;
    // Held for long enough: the target first takes up what it was kept from.
    const waited = loadsOf(work.progress, place).length > 0 ? await waitForTargets(work) : undefined;
    if (waited !== undefined) return waited;
  }
  return undefined;
}

function loadable({ target, guarded }: FullSyncWork["targets"][number]): LoadableTarget | undefined {
  const canBe = guarded !== true && target.loader !== undefined && target.unseat !== undefined;
  return canBe ? (target as LoadableTarget) : undefined;
}

/** Whether anything is left that goes to a target past the stream, or of which that isn't decided. */
function isWanted({ progress, options }: FullSyncWork, place: number): boolean {
  if (loadsOf(progress, place).length > 0) return true;
  const isOpen = options.where === undefined && options.throughStream !== true;
  return isOpen && progress.planned?.includes(place) !== true && untouched(progress).length > 0;
}

/** The target can't be loaded, or not now: everything goes through the stream. */
function leave(work: FullSyncWork, place: number): Promise<Stopped | undefined> {
  let progress = work.progress;
  for (let [first] = loadsOf(progress, place); first !== undefined; [first] = loadsOf(progress, place)) {
    progress = withoutLoad(progress, first);
  }
  return keep(work, withLoads(progress, place, new Map(), []));
}

async function holding(
  work: FullSyncWork,
  bulk: BulkRoom,
  place: number,
  target: LoadableTarget,
): Promise<Stopped | undefined> {
  work.told("the target's lanes");
  await using held = await holdLanes(work, bulk, target);
  if (held === undefined) return leave(work, place);
  if (bulk.readsLog && !(await bulk.reader.settle(settleMs))) return leave(work, place);
  const loader = target.loader(work.source, held.lanes);
  try {
    const tables = await loadableTables(work, place, held, loader);
    if (work.progress.planned?.includes(place) !== true) {
      const stopped = await decide(work, place, loader, tables);
      if (stopped !== undefined) return stopped;
    }
    return await loadAll(work, place, { bulk, target, held, loader, tables });
  } finally {
    await loader.close();
  }
}

/** A table as a target has it, and how its rows are to come. */
interface LoadableTable {
  readonly schema: TableSchema;
  readonly table: TargetTable;
  readonly layout: BulkLayout;
}

/** By id: those of the job's tables that rows can be loaded into. */
async function loadableTables(
  work: FullSyncWork,
  place: number,
  { lanes: [lane] }: HeldLanes,
  loader: BulkLoader,
): Promise<ReadonlyMap<string, LoadableTable>> {
  const tables = new Map<string, LoadableTable>();
  for (const { table: named } of work.progress.tables) {
    const schema = work.schemaOf(named);
    const id = tableId(schema);
    if (tables.has(id) || work.targets[place]!.routes(schema) !== undefined) continue;
    const table = await tableOf(lane!.session, schema);
    const layout = table && loader.layout(table);
    if (table !== undefined && layout !== undefined) tables.set(id, { schema, table, layout });
  }
  return tables;
}

/** What is wrong with a target's table the lane says, when the rows come through the stream. */
async function tableOf(
  session: HeldLanes["lanes"][number]["session"],
  schema: TableSchema,
): Promise<TargetTable | undefined> {
  try {
    return (await session.tables([schema]))[0];
  } catch (error) {
    if (isLockstepError(error)) return undefined;
    throw error;
  }
}

/** A table with up to this share of the source's rows is as good as empty: what the lane has written since it follows. */
const littleShare = 0.1;
const mostCounted = 100_000;

/** Keeps which tables go past the stream: those that are empty while no lane writes to them, or as good as that. */
async function decide(
  work: FullSyncWork,
  place: number,
  loader: BulkLoader,
  tables: ReadonlyMap<string, LoadableTable>,
): Promise<Stopped | undefined> {
  const { progress } = work;
  const chosen = new Map<number, { readonly isEmpty: boolean }>();
  for (const candidate of untouched(progress)) {
    const { table, estimatedRows = 0 } = progress.tables[candidate]!;
    const found = tables.get(tableId(table));
    if (found === undefined) continue;
    const little = Math.min(mostCounted, Math.floor(estimatedRows * littleShare));
    const rows = await loader.count(found.table, little + 1);
    if (rows <= little) chosen.set(candidate, { isEmpty: rows === 0 });
  }
  return keep(work, withLoads(progress, place, chosen, [...work.targets.keys()]));
}

async function loadAll(
  work: FullSyncWork,
  place: number,
  room: {
    readonly bulk: BulkRoom;
    readonly target: LoadableTarget;
    readonly held: HeldLanes;
    readonly loader: BulkLoader;
    readonly tables: ReadonlyMap<string, LoadableTable>;
  },
): Promise<Stopped | undefined> {
  const until = work.now() + (work.options.holdMs ?? defaultHoldMs);
  const goesOn = (): boolean => {
    room.held.check();
    return work.now() < until;
  };
  while (goesOn()) {
    const next = nextLoad(work, place, room.tables);
    if (next === undefined) return undefined;
    const id = tableId(work.progress.tables[next]!.table);
    const found = room.tables.get(id);
    const { bulk, loader, target } = room;
    const stopped =
      found === undefined
        ? await keep(work, withoutLoad(work.progress, next))
        : await loadTable(work, next, { ...found, reader: bulk.reader, loader, target }, goesOn);
    if (stopped !== undefined) return stopped;
    // A letter's row is in the copy as it is now, or what has become of it since comes behind the letter: written, it changes nothing and is over. One whose
    // parent was missing has found it.
    const letters = { source: work.source, table: id, states: liveLetterStates };
    await target.letters.replay(letters, "full sync", maxLetters);
  }
  return undefined;
}

/** Parents first, as the target has them: a child's row finds its parent. */
function nextLoad(
  { progress }: FullSyncWork,
  place: number,
  tables: ReadonlyMap<string, LoadableTable>,
): number | undefined {
  const loads = loadsOf(progress, place).map((load) => {
    const id = tableId(progress.tables[load]!.table);
    return { load, id, parents: tables.get(id)?.table.parents ?? [] };
  });
  return parentsFirst(loads, ({ id }) => id)[0]?.load;
}
