import { setTimeout as pause } from "node:timers/promises";
import type { JobOptions } from "@lockstep/config";
import type { RowNote, TableSchema } from "@lockstep/core";
import { type FullSyncOptions, type FullSyncProgress, runFullSync } from "@lockstep/sync";
import type { JobEnd, JobKind, JobRoom } from "../kind/job-kind.js";
import type { OpenSync } from "../open-sync.js";
import { isOutage } from "../outage.js";
import { syncedTargets } from "../synced-target.js";
import { beginTargets } from "./begin-anew.js";
import { fullSyncSums } from "./full-sync-sums.js";
import { openBulk } from "./open-bulk.js";
import { planFull } from "./plan-full.js";

/** Copies existing rows: into empty tables past the stream, where that can be, all others through it. */
export const fullKind: JobKind<JobOptions<"full">> = {
  plan: planFull,
  work: copyAll,
  sums: (progress) => fullSyncSums(progress as FullSyncProgress),
  passes: isOutage,
  // Targets that began anew have passed by what only this job copies: it stays live.
  stateAfterFailure: ({ options }) => ((options as FullSyncOptions).anew === undefined ? "failed" : "paused"),
};

async function copyAll({ open, job, claim, signal, told }: JobRoom): Promise<JobEnd> {
  const { jobs, log, snapshots, source } = open;
  // Before any of them begins anew: it might be another database by now.
  const targets = await syncedTargets(open, (job.options as FullSyncOptions).targets);
  const stopped = await beginTargets(open, job, claim);
  if (stopped !== undefined) return stopped;
  await using bulk = openBulk(open);
  const { tables } = job.progress as FullSyncProgress;
  return await runFullSync({
    source: source.name,
    claim,
    jobs,
    log,
    snapshots,
    bulk: { ...bulk, partitions: (await log.partitions()) ?? 1 },
    targets,
    schemas: await schemasOf(
      open,
      tables.map(({ table }) => table),
    ),
    onProgress: told,
    now: () => performance.now(),
    sleep: async (ms) => void (ms > 0 && (await pause(ms, undefined, { signal }))),
  });
}

function schemasOf(open: OpenSync, tables: readonly RowNote["table"][]): Promise<readonly TableSchema[]> {
  return open.atSource((run) => open.writer.describe(run, tables));
}
