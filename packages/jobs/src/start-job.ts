import type { JobKindName, JobOptions } from "@lockstep/config";
import type { Job, JobOrigin } from "@lockstep/core";
import { kindOf } from "./kind/job-kinds.js";
import type { OpenSync } from "./open-sync.js";

/** What is asked for, with the options of its kind. */
export type JobRequest = {
  readonly [K in JobKindName]: { readonly kind: K; readonly options: JobOptions<K> };
}[JobKindName];

/** Checks everything and begins the job; nothing has moved when it throws. Whoever claims it works on it. @throws LockstepError JOB_LIVE; what its kind refuses. */
export async function startJob(
  open: OpenSync,
  { kind, options }: JobRequest,
  origin: JobOrigin,
): Promise<Job> {
  const planned = await kindOf(kind).plan(open, options);
  return open.jobs.begin({ kind, ...planned, origin });
}
