import { setTimeout as pause } from "node:timers/promises";
import type { JobOptions } from "@lockstep/config";
import { tableId } from "@lockstep/core";
import {
  type IncrementalOptions,
  type IncrementalProgress,
  runIncremental,
  type WatchedProgress,
} from "@lockstep/sync";
import type { JobEnd, JobKind, JobRoom } from "../kind/job-kind.js";
import { isOutage } from "../outage.js";
import { syncedTargets } from "../synced-target.js";
import { planIncremental } from "./plan-incremental.js";

/** Reads what has changed in tables that no capture may touch. */
export const incrementalKind: JobKind<JobOptions<"incremental">> = {
  plan: planIncremental,
  work: readAll,
  sums: (progress) => incrementalSums(progress as IncrementalProgress),
  passes: isOutage,
  // A command that makes passes without end is kept running by somebody: it would find its job in other hands.
  staysWithCommand: ({ options }) => (options as IncrementalOptions).everyMs !== undefined,
};

async function readAll({ open, job, claim, signal, stop, told }: JobRoom): Promise<JobEnd> {
  const { chosen, jobs, log, rows, images, source } = open;
  const { targets, tables, everyMs } = job.options as IncrementalOptions;
  const end = await runIncremental({
    source: source.name,
    claim,
    jobs,
    log,
    rows,
    images,
    targets: await syncedTargets(open, targets),
    isWhole:
      chosen.settings.stateStore !== undefined &&
      tables.length === Object.keys(chosen.settings.incremental).length,
    stop,
    onProgress: told,
    now: () => performance.now(),
    sleep: async (ms) => void (ms > 0 && (await pause(ms, undefined, { signal }))),
  });
  if (end !== "stopped") return end;
  // Of a job whose passes follow each other this is the end that it has; another one wasn't finished. What it has read stays read.
  const over = everyMs === undefined ? "cancelled" : "done";
  await jobs.move(job.id, over);
  return over;
}

/** Adds up. Pure. */
function incrementalSums({
  tables: shared = [],
  joining,
}: Partial<IncrementalProgress>): ReturnType<JobKind<never>["sums"]> {
  const tables = [...shared, ...(joining?.tables ?? [])];
  const add = (of: (table: WatchedProgress) => number): number =>
    tables.reduce((sum, table) => sum + of(table), 0);
  const current = tables.find(({ reading, comparing }) => reading !== undefined || comparing !== undefined);
  return {
    rows: add(({ rows }) => rows),
    removedRows: add(({ removed }) => removed),
    ...(current !== undefined && { table: tableId(current.table) }),
  };
}
