import type { JobOptions } from "@lockstep/config";
import { isLockstepError } from "@lockstep/core";
import { repair, verify, type VerifyOptions, type VerifyReport } from "@lockstep/sync";
import type { JobEnd, JobKind, JobRoom, ShowReports } from "../kind/job-kind.js";
import type { OpenSync } from "../open-sync.js";
import { isOutage } from "../outage.js";
import { type CompareProgress, compareSums, withReport, withUnderway } from "./compare-progress.js";
import { keepProgress } from "./keep-progress.js";
import { atPairs, comparedTables, type Pair, readableTargets } from "./pairs.js";

type CompareOptions = JobOptions<"verify"> & JobOptions<"repair">;
type Way = (pair: Pair, settings: VerifyOptions) => Promise<VerifyReport>;

/** Compares targets with their source. */
export const verifyKind: JobKind<JobOptions<"verify">> = {
  plan: (open, options) => planComparison(open, options, false),
  work: (room) => compareAll(room, verify),
  sums: (progress) => compareSums(progress as CompareProgress),
  passes: comesBack,
};

/** Sends rows that differ once more. */
export const repairKind: JobKind<JobOptions<"repair">> = {
  ...verifyKind,
  plan: (open, options) => planComparison(open, options, true),
  work: (room) => compareAll(room, (room.job.options as CompareOptions).dryRun === true ? verify : repair),
};

async function planComparison(
  open: OpenSync,
  options: JobOptions<"verify"> | JobOptions<"repair">,
  sends: boolean,
): Promise<{ readonly options: typeof options; readonly progress: CompareProgress }> {
  readableTargets(open, options.targets);
  await comparedTables(open, { ...options, sends });
  return { options, progress: { rows: 0, reports: [] } };
}

/** One target after another. Targets whose reports are kept were compared before the job was interrupted. */
async function compareAll({ open, job, claim, signal, told, show }: JobRoom, way: Way): Promise<JobEnd> {
  const options = job.options as CompareOptions;
  let progress = job.progress as CompareProgress;
  const kept = keepProgress(claim, () => progress);
  const stop = AbortSignal.any([signal, kept.signal]);
  const move = (to: CompareProgress): void => told((progress = to));
  try {
    await atPairs(open, { ...options, sends: job.kind === "repair" }, async (pair) => {
      const target = pair.target.name;
      if (progress.reports.some((report) => report.target === target)) return;
      const only = options.only?.find((report) => report.target === target);
      if (options.only !== undefined && only === undefined) return;
      const resume = progress.target === target ? progress.underway : undefined;
      const report = await way(pair, {
        ...settingsOf(options, pair, show),
        ...(only && { only }),
        ...(resume && { resume }),
        signal: stop,
        onProgress: (underway) => move(withUnderway(progress, target, underway)),
      });
      show?.report(report);
      move(withReport(progress, report));
    });
  } catch (error) {
    if (!stop.aborted) {
      await kept.end().catch(() => undefined);
      throw error;
    }
  }
  const became = await kept.end();
  if (became !== undefined) return became;
  await open.jobs.move(job.id, "done");
  return "done";
}

function settingsOf(
  { sample, rate, slice, limit, timeout = 60 }: CompareOptions,
  { mask }: Pair,
  show: ShowReports | undefined,
): VerifyOptions {
  return {
    maxReported: limit ?? 100,
    passTimeoutMs: timeout * 1000,
    ...(sample !== undefined && { sample: sample / 100 }),
    ...(rate !== undefined && { maxRowsPerSecond: rate }),
    ...(slice !== undefined && { sliceRows: slice }),
    showsValues: show?.values === true,
    hides: (table, column) => mask.hides(table, column),
  };
}

const outages: readonly string[] = ["SOURCE_UNAVAILABLE", "TARGET_UNAVAILABLE", "STREAM_UNAVAILABLE"];

/** A database that went away on the way comes back; one that wasn't there to begin with is said at once, and so is a lane that doesn't get on. */
function comesBack(open: OpenSync, error: unknown, hasMoved: boolean): boolean {
  if (!hasMoved) return false;
  return isLockstepError(error) ? outages.includes(error.code) : isOutage(open, error);
}
