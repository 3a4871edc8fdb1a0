import type { KeyRange } from "@lockstep/core";
import type { FullSyncProgress, TableProgress } from "../full-sync-job.js";

/** A table, or a part of one, on its way past the stream. */
export type Loading = Extract<TableProgress, { readonly phase: "loading" }>;

/** Places of the tables of which nothing was copied yet. Pure. */
export function untouched({ tables }: FullSyncProgress): readonly number[] {
  return tables.flatMap((table, place) =>
    table.phase === "copying" && table.after === undefined && !table.noExtra ? [place] : [],
  );
}

/** Places of what goes past the stream to a target and isn't there yet. Pure. */
export function loadsOf({ tables }: FullSyncProgress, target: number): readonly number[] {
  return tables.flatMap((table, place) =>
    table.phase === "loading" && table.targets?.[0] === target ? [place] : [],
  );
}

/** The progress when it is decided that these tables go past the stream to a target; the others, and other targets, are left as they are. Pure. */
export function withLoads(
  progress: FullSyncProgress,
  target: number,
  chosen: ReadonlyMap<number, { readonly isEmpty: boolean }>,
  allTargets: readonly number[],
): FullSyncProgress {
  const tables = progress.tables.flatMap((table, place): TableProgress[] => {
    const choice = chosen.get(place);
    if (choice === undefined || table.phase !== "copying") return [table];
    const others = (table.targets ?? allTargets).filter((other) => other !== target);
    const noExtra = choice.isEmpty && { noExtra: true as const };
    const load: Loading = { ...table, targets: [target], ...noExtra, phase: "loading" };
    return others.length === 0 ? [load] : [{ ...table, targets: others }, load];
  });
  return { ...progress, tables, planned: [...(progress.planned ?? []), target] };
}

/**
 * The progress when a load is through with everything up to `through`: rows came in, and what the target refused is left to the stream, where each row is judged
 * alone. Pure.
 */
export function withLoaded(
  progress: FullSyncProgress,
  place: number,
  loaded: {
    readonly rows: number;
    readonly through: readonly string[];
    readonly refused: readonly KeyRange[];
  },
): FullSyncProgress {
  const load = progress.tables[place] as Loading;
  const { after: _, through, phase: __, ...rest } = load;
  const rows = load.rows + loaded.rows;
  const isDone = sameKey(loaded.through, through);
  const moved: TableProgress = isDone
    ? { ...rest, rows, phase: rest.noExtra ? "done" : "copied" }
    : { ...load, rows, after: loaded.through };
  const left = loaded.refused.map((range): TableProgress => ({
    ...withoutSize(rest),
    ...range,
    phase: "copying",
  }));
  const behind = progress.tables.slice(place + 1);
  return { ...progress, tables: [...progress.tables.slice(0, place), moved, ...joined(left, behind)] };
}

/** The same when the rest of a load has to go through the stream. Pure. */
export function withoutLoad(progress: FullSyncProgress, place: number): FullSyncProgress {
  const { after, through } = progress.tables[place] as Loading;
  const refused = [{ ...(after !== undefined && { after }), through }];
  return withLoaded(progress, place, { rows: 0, through, refused });
}

// What was estimated of a table is its load's; a part that is left over is counted as it comes.
function withoutSize(load: Omit<Loading, "phase" | "through" | "after">) {
  const { estimatedRows: _, ...table } = load;
  return { ...table, rows: 0, noExtra: true as const };
}

/** Parts of a table that follow each other become one, however many there were. Newer ones come first. */
function joined(left: readonly TableProgress[], behind: readonly TableProgress[]): readonly TableProgress[] {
  const result = [...behind];
  for (const part of left) {
    const before = result[0];
    const follows =
      part.phase === "copying" &&
      before?.phase === "copying" &&
      before.noExtra &&
      before.rows === 0 &&
      before.table.name === part.table.name &&
      before.table.namespace === part.table.namespace &&
      before.targets?.[0] === part.targets?.[0] &&
      part.after !== undefined &&
      sameKey(before.through, part.after);
    if (follows) result[0] = { ...before, through: part.through };
    else result.unshift(part);
  }
  return result;
}

/** Whether two keys are one. Pure. */
function sameKey(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, i) => text === other[i]);
}
