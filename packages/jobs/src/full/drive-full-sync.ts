import { setTimeout as pause } from "node:timers/promises";
import {
  backoffMs,
  isLockstepError,
  type Job,
  LockstepError,
  outageBackoff,
  type RowNote,
  type TableSchema,
} from "@lockstep/core";
import {
  type FullSyncEnd,
  type FullSyncOptions,
  type FullSyncProgress,
  runFullSync,
  type SyncedTarget,
} from "@lockstep/sync";
import { beginTargets } from "./begin-anew.js";
import type { OpenSync } from "../open-sync.js";
import { isOutage } from "../outage.js";

/** Called with how far it is, and what it waits for. */
export type OnProgress = (progress: FullSyncProgress, waitingFor?: string) => void;

/**
 * Works on a full sync until it ends; an outage of the source or of a target is waited for.
 * @throws LockstepError JOB_LIVE when another process works on it; what made it fail.
 */
export async function driveFullSync(open: OpenSync, job: Job, onProgress: OnProgress): Promise<FullSyncEnd> {
  for (let failures = 0; ;) {
    try {
      const end = await workOn(open, job, (...told) => {
        failures = 0;
        onProgress(...told);
      });
      // The session was lost, not the job: it is claimed again.
      if (end !== "lost") return end;
    } catch (error) {
      if (!isOutage(open, error)) {
        const code = isLockstepError(error) ? error.code : undefined;
        // Targets that began anew have passed by what only this job copies: it stays live.
        const state = (job.options as FullSyncOptions).anew === undefined ? "failed" : "paused";
        if (code !== "JOB_LIVE") await open.jobs.move(job.id, state, code).catch(() => undefined);
        throw error;
      }
      onProgress(job.progress as FullSyncProgress, isLockstepError(error) ? error.code : "an outage");
    }
    await pause(backoffMs(++failures, outageBackoff));
  }
}

async function workOn(open: OpenSync, job: Job, onProgress: OnProgress): Promise<FullSyncEnd> {
  const { jobs, log, snapshots, source } = open;
  const claim = await jobs.claim(job.id);
  if (claim === undefined) {
    throw new LockstepError("JOB_LIVE", `another process works on job ${job.id}`);
  }
  try {
    const stopped = await beginTargets(open, await claim.read(), claim);
    if (stopped !== undefined) return stopped;
    const { targets } = job.options as FullSyncOptions;
    const { tables } = job.progress as FullSyncProgress;
    return await runFullSync({
      source: source.name,
      claim,
      jobs,
      log,
      snapshots,
      targets: targets.map(({ name }) => targetOf(open, name)),
      schemas: await schemasOf(
        open,
        tables.map(({ table }) => table),
      ),
      onProgress,
      now: () => performance.now(),
      sleep: async (ms) => void (ms > 0 && (await pause(ms))),
    });
  } finally {
    await claim[Symbol.asyncDispose]();
  }
}

/** A job's target, as it is configured now. @throws LockstepError CONFIG_INVALID. */
export function targetOf({ targets }: OpenSync, name: string): SyncedTarget {
  const found = targets.find(({ target }) => target.name === name);
  if (found) return { target: found.target, routes: (schema) => found.mapping?.routes(schema) };
  throw new LockstepError("CONFIG_INVALID", `the job's target "${name}" is no longer configured`);
}

function schemasOf(open: OpenSync, tables: readonly RowNote["table"][]): Promise<readonly TableSchema[]> {
  return open.atSource((run) => open.writer.describe(run, tables));
}
