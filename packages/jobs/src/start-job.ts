import type { JobRequest } from "@lockstep/config";
import { isLockstepError, type Job, type JobOrigin, LockstepError } from "@lockstep/core";
import { kindOf } from "./kind/job-kinds.js";
import type { OpenSync } from "./open-sync.js";
import { explained, isMistake } from "./outage.js";

/** Checks everything and begins the job; nothing has moved when it throws. Whoever claims it works on it. @throws LockstepError JOB_LIVE; what its kind refuses. */
export async function startJob(
  open: OpenSync,
  { kind, options }: JobRequest,
  origin: JobOrigin,
): Promise<Job> {
  try {
    const planned = await kindOf(kind).plan(open, options);
    return await open.jobs.begin({ kind, ...planned, origin });
  } catch (error) {
    throw isMistake(error) ? explained(error) : inWords(open, error);
  }
}

/** A target that can't be reached says so in its driver's words. */
function inWords({ targets }: OpenSync, error: unknown): unknown {
  if (isLockstepError(error)) return error;
  for (const { target } of targets) {
    const fault = target.classify(error);
    if (fault.kind === "systemic")
      return new LockstepError(fault.code, "a target can't be asked", { cause: error });
  }
  return error;
}
