import type { Job } from "@lockstep/core";
import type { VerifyReport } from "@lockstep/sync";
import type { JobSums } from "../kind/job-kind.js";
import { sumsOf } from "../kind/job-kinds.js";
import type { CompareProgress } from "../compare/compare-progress.js";

/** A job as it may be shown. */
export type ShownJob<J extends Job = Job> = Omit<J, "progress"> & { readonly sums: JobSums };

/** Without the keys of rows: the places that it would go on from, and the rows that were named to be repaired. Pure. */
export function shownJob<J extends Job>({ progress, ...job }: J): ShownJob<J> {
  const { only: _, ...options } = job.options as { readonly only?: unknown };
  return { ...job, options, sums: sumsOf({ ...job, progress }) };
}

/** What a verify or a repair has found of the targets that are done. Pure. */
export function reportsOf({ progress }: Pick<Job, "progress">): readonly VerifyReport[] {
  return (progress as Partial<CompareProgress>).reports ?? [];
}
