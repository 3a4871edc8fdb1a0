import { setTimeout as pause } from "node:timers/promises";
import { backoffMs, isLockstepError, type Job, LockstepError, outageBackoff } from "@lockstep/core";
import {
  type IncrementalEnd,
  type IncrementalOptions,
  type IncrementalProgress,
  runIncremental,
} from "@lockstep/sync";
import { targetOf } from "../full/drive-full-sync.js";
import type { OpenSync } from "../open-sync.js";
import { isOutage } from "../outage.js";

/** How an incremental sync is driven. */
export interface IncrementalDrive {
  /** Called with how far it is, and what it waits for. */
  readonly onProgress?: (progress: IncrementalProgress, waitingFor?: string) => void;
  /** Ends the work after the chunk under way: of a job whose passes follow each other it is done then, another one is cancelled. What it has read stays read. */
  readonly stop?: AbortSignal;
}

/**
 * Works on an incremental sync until it ends; an outage of the source, of the state store or of a target is waited for.
 * @throws LockstepError JOB_LIVE when another process works on it; what made it fail.
 */
export async function driveIncremental(
  open: OpenSync,
  job: Job,
  { onProgress, stop = new AbortController().signal }: IncrementalDrive = {},
): Promise<IncrementalEnd> {
  for (let failures = 0; ;) {
    try {
      const end = await workOn(open, job, stop, (...told) => {
        failures = 0;
        onProgress?.(...told);
      });
      if (end === "stopped") {
        const isEndless = (job.options as IncrementalOptions).everyMs !== undefined;
        await open.jobs.move(job.id, isEndless ? "done" : "cancelled");
        return isEndless ? "done" : "stopped";
      }
      // The session was lost, not the job: it is claimed again.
      if (end !== "lost") return end;
    } catch (error) {
      if (!isOutage(open, error)) {
        const code = isLockstepError(error) ? error.code : undefined;
        if (code !== "JOB_LIVE") await open.jobs.move(job.id, "failed", code).catch(() => undefined);
        throw error;
      }
      onProgress?.(job.progress as IncrementalProgress, isLockstepError(error) ? error.code : "an outage");
    }
    await pause(backoffMs(++failures, outageBackoff), undefined, { signal: stop }).catch(() => undefined);
  }
}

async function workOn(
  open: OpenSync,
  job: Job,
  stop: AbortSignal,
  onProgress: NonNullable<IncrementalDrive["onProgress"]>,
): Promise<IncrementalEnd> {
  const { chosen, jobs, log, rows, images, source } = open;
  const claim = await jobs.claim(job.id);
  if (claim === undefined) throw new LockstepError("JOB_LIVE", `another process works on job ${job.id}`);
  try {
    const { targets, tables } = job.options as IncrementalOptions;
    return await runIncremental({
      source: source.name,
      claim,
      jobs,
      log,
      rows,
      images,
      targets: targets.map(({ name }) => targetOf(open, name)),
      isWhole:
        chosen.settings.stateStore !== undefined &&
        tables.length === Object.keys(chosen.settings.incremental).length,
      stop,
      onProgress,
      now: () => performance.now(),
      sleep: async (ms) => void (ms > 0 && (await pause(ms))),
    });
  } finally {
    await claim[Symbol.asyncDispose]();
  }
}
