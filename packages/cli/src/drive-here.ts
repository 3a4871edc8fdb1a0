import { setTimeout as pause } from "node:timers/promises";
import { isLockstepError, type Job } from "@lockstep/core";
import { type DriveOptions, driveJob, type JobEnd, type OpenSync } from "@lockstep/jobs";

const triesEveryMs = 100;
/** Another process's job may take hours, and each try is a session at the source. */
const followsEveryMs = 1_000;
const defaultPatienceMs = 30_000;

/** Drives a job in this process until it ends; Ctrl-C pauses it. */
export async function driveHere(open: OpenSync, job: Job, options: DriveOptions): Promise<JobEnd> {
  const pauseIt = (): void => void open.jobs.move(job.id, "paused").catch(() => undefined);
  process.once("SIGINT", pauseIt);
  try {
    return await driveBegun(open, job, options);
  } finally {
    process.off("SIGINT", pauseIt);
  }
}

/**
 * Drives a job that was begun, or let go on, here. What is in its way is the lock of the one before, whose process finishes what it has in hand (a person may
 * have cancelled it a moment ago), or is gone, and the server is about to notice; or another process that took it up while this one waited out an outage: that
 * one is followed as long as the job moves.
 * @throws LockstepError JOB_LIVE when it hasn't moved for `patienceMs` (default 30 s); what made the job fail.
 */
export async function driveBegun(
  open: OpenSync,
  job: Job,
  options: DriveOptions,
  patienceMs = defaultPatienceMs,
): Promise<JobEnd> {
  let { movedAt } = job;
  let pauseMs = triesEveryMs;
  let until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await driveJob(open, job, options);
    } catch (error) {
      if (!isLockstepError(error, "JOB_LIVE") || performance.now() >= until) throw error;
    }
    // A person may decide about it meanwhile.
    const found = await open.jobs.find(job.id);
    if (found !== undefined && found.state !== "running") return found.state;
    if (found !== undefined && found.movedAt !== movedAt) {
      ({ movedAt } = found);
      pauseMs = Math.min(followsEveryMs, patienceMs / 3);
      until = performance.now() + patienceMs;
      options.onProgress?.(found.progress, "another process, which works on the job");
    }
    await pause(pauseMs);
  }
}
