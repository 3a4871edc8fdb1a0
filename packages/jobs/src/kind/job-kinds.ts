import { type JobKindName, type JobOptions, jobOptions } from "@lockstep/config";
import { type Job, LockstepError } from "@lockstep/core";
import { repairKind, verifyKind } from "../compare/compare-kinds.js";
import { fullKind } from "../full/full-kind.js";
import { incrementalKind } from "../incremental/incremental-kind.js";
import type { JobKind, JobSums } from "./job-kind.js";

/** Every kind of job. What may be asked of each is in the configuration's table of the same names. */
const jobKinds: { readonly [K in JobKindName]: JobKind<JobOptions<K>> } = {
  full: fullKind,
  incremental: incrementalKind,
  verify: verifyKind,
  repair: repairKind,
};

/** @throws LockstepError CONFIG_INVALID: a newer version's, perhaps. */
export function kindOf(name: string): JobKind<unknown> {
  if (name in jobKinds) return jobKinds[name as JobKindName] as JobKind<unknown>;
  const known = Object.keys(jobOptions).join(", ");
  throw new LockstepError("CONFIG_INVALID", `there is no kind of job "${name}"; known: ${known}`);
}

/** Whether consumers are to work on a job that no process has. Pure. */
export function isForConsumers(job: Job): boolean {
  return job.kind in jobKinds && !(job.origin.by === "command" && kindOf(job.kind).staysWithCommand?.(job));
}

/** How far a job is. Of a kind that isn't known here nothing is. Pure. */
export function sumsOf({ kind, progress, state }: Pick<Job, "kind" | "progress" | "state">): JobSums {
  const isKnown = kind in jobKinds;
  return isKnown && state !== "missed" ? kindOf(kind).sums(progress) : { rows: 0 };
}
