import type { JobOptions } from "@lockstep/config";
import { LockstepError, type RowNote, tableId } from "@lockstep/core";
import { type FullSyncOptions, type FullSyncProgress, planFullSync } from "@lockstep/sync";
import { chosenTargets } from "./chosen-targets.js";
import { refuseUntouched } from "../source/choose-sources.js";
import type { OpenSync } from "../open-sync.js";
import { tablesNamed } from "../source/named-tables.js";
import { surveyOf } from "./survey.js";

/** Checks everything; nothing has moved when it throws. */
export async function planFull(
  open: OpenSync,
  wish: JobOptions<"full">,
): Promise<{ readonly options: FullSyncOptions; readonly progress: FullSyncProgress }> {
  refuseUntouched(open.chosen, "a full sync");
  const captured = await open.tables();
  const tables =
    wish.entities === undefined ? captured : wish.entities.map((name) => tableOf(captured, name));
  if (tables.length === 0) throw new LockstepError("ENTITY_UNKNOWN", "no table is captured");
  if (wish.where !== undefined && tables.length !== 1) {
    throw new LockstepError("SYNC_CONDITION_INVALID", "--where is about one table: name it with --entity");
  }
  if (wish.anew && (wish.entities !== undefined || wish.where !== undefined)) {
    throw new LockstepError("CONFIG_INVALID", "--anew copies everything: leave out --entity and --where");
  }
  const progress = planFullSync(await surveyOf(open, tables, wish.where));
  const { targets, anew } = await chosenTargets(open, wish);
  const options: FullSyncOptions = {
    targets,
    ...(wish.where !== undefined && { where: wish.where }),
    // Rows that don't meet the condition would all be taken for extra ones.
    keepExtra: wish.keepExtra === true || wish.where !== undefined,
    ...(wish.rate !== undefined && { maxRowsPerSecond: wish.rate }),
    ...(wish.throughStream && { throughStream: true }),
    ...(wish.hold !== undefined && { holdMs: wish.hold * 1000 }),
    ...(anew.length > 0 && { anew }),
    isWhole: wish.entities === undefined && wish.where === undefined,
  };
  return { options, progress };
}

function tableOf(captured: readonly RowNote["table"][], name: string): RowNote["table"] {
  const found = tablesNamed(captured, name);
  if (found.length === 1) return found[0]!;
  throw new LockstepError("ENTITY_UNKNOWN", `"${name}" could be ${found.map(tableId).join(" or ")}`);
}
