import type { Job } from "@lockstep/core";
import { type DriveOptions, driveJob, type JobEnd, type OpenSync } from "@lockstep/jobs";

/** Drives a job in this process until it ends; Ctrl-C pauses it. */
export async function driveHere(open: OpenSync, job: Job, options: DriveOptions): Promise<JobEnd> {
  const pauseIt = (): void => void open.jobs.move(job.id, "paused").catch(() => undefined);
  process.once("SIGINT", pauseIt);
  try {
    return await driveJob(open, job, options);
  } finally {
    process.off("SIGINT", pauseIt);
  }
}
