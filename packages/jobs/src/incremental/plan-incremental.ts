import type { JobOptions } from "@lockstep/config";
import { begunStates, LockstepError, type RowNote, type SurveyedTable, tableId } from "@lockstep/core";
import {
  incrementalKind,
  type IncrementalOptions,
  type IncrementalProgress,
  type IncrementalTable,
  judgeTable,
  parentsFirst,
  planIncremental as cursorsAfter,
  without,
} from "@lockstep/sync";
import { chosenTargets } from "../full/chosen-targets.js";
import type { OpenSync } from "../open-sync.js";
import { watchedTables } from "../source/captured-tables.js";

/** Checks everything; nothing has moved when it throws. The cursors are those of the job before. */
export async function planIncremental(
  open: OpenSync,
  wish: JobOptions<"incremental">,
): Promise<{ readonly options: IncrementalOptions; readonly progress: IncrementalProgress }> {
  await prepare(open);
  if (wish.targets !== undefined && !wish.anew) {
    throw new LockstepError("CONFIG_INVALID", "--target goes with --anew: all targets share the passes");
  }
  const surveyed = await surveyTables(open, wish.entities);
  const [last] = await open.jobs.list({ kind: incrementalKind, states: begunStates, limit: 1 });
  const before = last?.progress as IncrementalProgress | undefined;
  const tables = await judged(open, surveyed, before);
  const { targets } = await chosenTargets(open, {});
  const unknown = (wish.targets ?? []).filter((name) => !targets.some((target) => target.name === name));
  if (unknown.length > 0) {
    const known = targets.map(({ name }) => name).join(", ");
    throw new LockstepError(
      "CONFIG_INVALID",
      `there is no target "${unknown.join('", "')}"; known: ${known}`,
    );
  }
  const options: IncrementalOptions = {
    targets,
    tables,
    deletes: wish.deletes === true,
    ...(wish.every !== undefined && { everyMs: wish.every * 1000 }),
    ...(wish.rate !== undefined && { maxRowsPerSecond: wish.rate }),
  };
  const anew = targets.filter(({ name }) => wish.anew && (wish.targets?.includes(name) ?? true));
  const progress = cursorsAfter(
    options,
    without(
      before,
      anew.map(({ id }) => id),
    ),
  );
  return { options, progress };
}

/** The outbox must be there: in a state store it is made when it isn't, as no application does. */
async function prepare({ chosen, writer, atSource }: OpenSync): Promise<void> {
  const isOurs = chosen.settings.stateStore !== undefined;
  await atSource((run) => (isOurs ? writer.ensure(run) : writer.check(run)));
}

interface Surveyed extends SurveyedTable {
  /** As the configuration calls it. */
  readonly named: string;
}

/** The tables as the source has them. @throws LockstepError CONFIG_INVALID, ENTITY_UNKNOWN. */
async function surveyTables(
  open: OpenSync,
  wanted: readonly string[] | undefined,
): Promise<readonly Surveyed[]> {
  const { settings, source } = open.chosen;
  const watched = await watchedTables(open.chosen);
  if (watched.size === 0) {
    throw new LockstepError("CONFIG_INVALID", `sources.${source.name}.incremental: names no table to read`);
  }
  const surveyed: Surveyed[] = [];
  for (const [named, table] of watched) {
    if (wanted !== undefined && !wanted.some((name) => name === named || (table && isNamed(table, name))))
      continue;
    const found = table && (await open.rows.survey(table));
    if (found === undefined) {
      throw new LockstepError(
        "ENTITY_UNKNOWN",
        `sources.${source.name}.incremental: the source has no table ${named} that its role may see`,
      );
    }
    surveyed.push({ ...found, named });
  }
  const known = Object.keys(settings.incremental).join(", ");
  for (const name of wanted ?? []) {
    if (surveyed.some(({ named, schema }) => named === name || isNamed(schema, name))) continue;
    throw new LockstepError(
      "ENTITY_UNKNOWN",
      `"${name}" is not in sources.${source.name}.incremental; known: ${known}`,
    );
  }
  return parentsFirst(surveyed, ({ schema }) => tableId(schema));
}

function isNamed(table: RowNote["table"], name: string): boolean {
  return tableId(table) === name || table.name === name;
}

/** Where the source shows its transactions, this only has to cover the clocks of the writers. */
const overlapMs = 60_000;
/** Where it doesn't, no transaction may take longer. */
const blindOverlapMs = 600_000;

/** @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY, INCREMENTAL_COLUMN, INCREMENTAL_INDEX, INCREMENTAL_CAPTURED. */
async function judged(
  open: OpenSync,
  surveyed: readonly Surveyed[],
  before: IncrementalProgress | undefined,
): Promise<readonly IncrementalTable[]> {
  const { incremental } = open.chosen.settings;
  const fit = surveyed.map((one) => ({ ...one, kind: judgeTable(one, incremental[one.named]!) }));
  await refuseCaptured(open, fit, before);
  const tables: IncrementalTable[] = [];
  for (const { schema, named, kind } of fit) {
    const { column, softDelete, deletesEveryMs, overlapMs: wanted } = incremental[named]!;
    const watched = { schema, column, kind, overlapMs };
    const isNew = !before?.tables.some(({ table }) => tableId(table) === tableId(schema));
    if (isNew && (await open.rows.hasUnmarked(watched))) {
      throw new LockstepError(
        "INCREMENTAL_COLUMN",
        `rows of ${tableId(schema)} have no value in ${column}: they would never be found; give them one`,
      );
    }
    const isSeen = (await open.rows.ended(await open.rows.mark(watched))) !== "unseen";
    tables.push({
      table: { namespace: schema.namespace, name: schema.name },
      column,
      kind,
      overlapMs: wanted ?? (isSeen ? overlapMs : blindOverlapMs),
      ...(softDelete !== undefined && { softDelete }),
      ...(deletesEveryMs !== undefined && { deletesEveryMs }),
    });
  }
  return tables;
}

/**
 * A table has one way: rows that two ways send would overtake each other. What the outbox knows and no incremental sync has put there is captured by the
 * application.
 */
async function refuseCaptured(
  { chosen, capture, log }: OpenSync,
  surveyed: readonly SurveyedTable[],
  before: IncrementalProgress | undefined,
): Promise<void> {
  if (chosen.settings.stateStore !== undefined) return;
  const described = new Set((await log.schemas()).map(tableId));
  const own = new Set((before?.tables ?? []).map(({ table }) => tableId(table)));
  const captured = surveyed
    .map(({ schema }) => tableId(schema))
    .filter((id) => described.has(id) && !own.has(id));
  if (captured.length === 0) return;
  throw new LockstepError("INCREMENTAL_CAPTURED", `captured by ${capture} already: ${captured.join(", ")}`);
}
