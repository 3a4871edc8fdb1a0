import { type Job, LockstepError, type RowNote, tableId } from "@lockstep/core";
import { fullSyncKind, type FullSyncOptions, planFullSync } from "@lockstep/sync";
import { beginAnew } from "./begin-anew.js";
import type { OpenSync } from "./open-sync.js";

/** What is asked for on the command line. */
export interface FullSyncWish {
  readonly entity?: readonly string[];
  readonly target?: readonly string[];
  readonly where?: string;
  readonly keepExtra?: true;
  readonly rate?: number;
  /** Targets whose history is gone begin anew. */
  readonly anew?: true;
}

/** Checks everything and begins the job; nothing has moved when it throws. */
export async function startFullSync(open: OpenSync, wish: FullSyncWish): Promise<Job> {
  const { writer, snapshots, jobs } = open;
  const captured = await open.tables();
  const tables = wish.entity === undefined ? captured : wish.entity.map((name) => tableOf(captured, name));
  if (tables.length === 0) throw new LockstepError("ENTITY_UNKNOWN", "no table is captured");
  if (wish.where !== undefined && tables.length !== 1) {
    throw new LockstepError("SYNC_CONDITION_INVALID", "--where is about one table: name it with --entity");
  }
  if (wish.anew && (wish.entity !== undefined || wish.where !== undefined)) {
    throw new LockstepError("CONFIG_INVALID", "--anew copies everything: leave out --entity and --where");
  }
  const progress = await open.atSource(async (run) => {
    await writer.check(run);
    await writer.describe(run, tables);
    const surveyed = [];
    for (const table of tables) surveyed.push(await snapshots.survey(run, table, wish.where));
    return planFullSync(surveyed);
  });
  const targets = await followingTargets(open, wish);
  const options: FullSyncOptions = {
    targets,
    ...(wish.where !== undefined && { where: wish.where }),
    // Rows that don't meet the condition would all be taken for extra ones.
    keepExtra: wish.keepExtra === true || wish.where !== undefined,
    ...(wish.rate !== undefined && { maxRowsPerSecond: wish.rate }),
    isWhole: wish.entity === undefined && wish.where === undefined,
  };
  return jobs.begin({ kind: fullSyncKind, options, progress });
}

function tableOf(captured: readonly RowNote["table"][], name: string): RowNote["table"] {
  const found = captured.filter((table) => tableId(table) === name || table.name === name);
  if (found.length === 1) return found[0]!;
  const known = captured.map(tableId).sort().join(", ");
  throw new LockstepError(
    "ENTITY_UNKNOWN",
    found.length === 0
      ? `there is no captured table "${name}"; known: ${known}`
      : `"${name}" could be ${found.map(tableId).join(" or ")}`,
  );
}

/** The targets named, or all: only who is registered at the source is sent anything. */
async function followingTargets(open: OpenSync, { target: names, anew }: FullSyncWish) {
  const known = new Map(open.targets.map(({ target }) => [target.name, target]));
  const unknown = (names ?? []).filter((name) => !known.has(name));
  if (unknown.length > 0 || known.size === 0) {
    const list = [...known.keys()].join(", ");
    throw new LockstepError("CONFIG_INVALID", `there is no target "${unknown.join('", "')}"; known: ${list}`);
  }
  if (anew) for (const name of names ?? known.keys()) await beginAnew(open, known.get(name)!);
  const registered = await open.log.targets();
  const chosen = [];
  for (const name of names ?? known.keys()) {
    const { id } = await known.get(name)!.open();
    const lanes = registered.filter((lane) => lane.id === id);
    if (lanes.length === 0 || lanes.some(({ state }) => state !== "following")) {
      const why = lanes.length === 0 ? "is not registered at the source" : "no longer follows the source";
      throw new LockstepError("TARGET_NOT_FOLLOWING", `the target "${name}" ${why}`);
    }
    chosen.push({ id, name });
  }
  return chosen;
}
