import { setTimeout as pause } from "node:timers/promises";
import {
  backoffMs,
  type ClaimedJob,
  isLockstepError,
  type Job,
  LockstepError,
  outageBackoff,
} from "@lockstep/core";
import type { JobEnd, ShowReports } from "./kind/job-kind.js";
import { kindOf } from "./kind/job-kinds.js";
import type { OpenSync } from "./open-sync.js";
import { explained } from "./outage.js";
import { reportJob } from "./report-job.js";

/** Called with how far a job is, and what it waits for. */
export type OnProgress = (progress: unknown, waitingFor?: string) => void;

/** How a job is driven. */
export interface DriveOptions {
  readonly onProgress?: OnProgress;
  /** Stop: the job stays `running`, and whoever claims it goes on. */
  readonly signal?: AbortSignal;
  /** Ask the job to end, where its kind can do so before its end. */
  readonly stop?: AbortSignal;
  readonly show?: ShowReports;
}

/** What is in hand when the process has to stop is waited for this long: then its session ends, and with it whatever it hadn't committed. */
const releaseMs = 2_000;

/**
 * Works on a job until it ends; an outage of the source or of a target is waited for, as its kind says.
 * @throws LockstepError JOB_LIVE when another process works on it; what made it fail.
 */
export async function driveJob(open: OpenSync, job: Job, options: DriveOptions = {}): Promise<JobEnd> {
  // A signal of its own where none is given: listeners would gather on one that all share.
  const { signal = never(), stop = never(), onProgress } = options;
  const kind = kindOf(job.kind);
  let hasMoved = false;
  let progress = job.progress;
  for (let failures = 0; ;) {
    try {
      const end = await workOn(open, job, {
        ...options,
        signal,
        stop,
        onProgress(moved, waitingFor) {
          // To say what it waits for is no progress: what fails behind that, again and again, is tried ever less often.
          if (waitingFor === undefined) failures = 0;
          hasMoved = true;
          progress = moved;
          onProgress?.(moved, waitingFor);
        },
      });
      // The session was lost, not the job: it is claimed again.
      if (end !== "lost") return end;
    } catch (error) {
      if (signal.aborted) return "released";
      if (isLockstepError(error, "JOB_LIVE")) throw error;
      if (!kind.passes(open, error, hasMoved)) {
        const failure = explained(error);
        const state = kind.stateAfterFailure?.(job) ?? "failed";
        await open.jobs.move(job.id, state, failure.code).catch(() => undefined);
        throw failure;
      }
      onProgress?.(progress, isLockstepError(error) ? error.code : "an outage");
    }
    const delayMs = backoffMs(++failures, outageBackoff);
    const wake = AbortSignal.any([signal, stop].filter((one) => !one.aborted));
    await pause(delayMs, undefined, { signal: wake }).catch(() => undefined);
    if (signal.aborted) return "released";
  }
}

async function workOn(
  open: OpenSync,
  { id, kind }: Job,
  { onProgress, show, signal, stop }: DriveOptions & Required<Pick<DriveOptions, "signal" | "stop">>,
): Promise<JobEnd> {
  const claim = await open.jobs.claim(id);
  if (claim === undefined) throw new LockstepError("JOB_LIVE", `another process works on job ${id}`);
  const isOver = new AbortController();
  try {
    const job = await claim.read();
    if (job.state !== "running") return job.state;
    const room = { open, job, claim: until(claim, signal), signal, stop, show };
    using reported = reportJob(open, job);
    const told: OnProgress = (...how) => {
      reported.told(...how);
      onProgress?.(...how);
    };
    const work = kindOf(kind).work({ ...room, told });
    return await Promise.race([work, released(signal, isOver.signal)]);
  } finally {
    isOver.abort();
    await claim[Symbol.asyncDispose]();
  }
}

/** No step begins behind the signal. */
function until(claim: ClaimedJob, signal: AbortSignal): ClaimedJob {
  return {
    ...claim,
    async read() {
      signal.throwIfAborted();
      return claim.read();
    },
    async step(...step) {
      signal.throwIfAborted();
      return claim.step(...step);
    },
  };
}

/** A while after the signal. */
async function released(signal: AbortSignal, isOver: AbortSignal): Promise<"released"> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true, signal: isOver }));
  }
  await pause(releaseMs, undefined, { ref: false });
  return "released";
}

function never(): AbortSignal {
  return new AbortController().signal;
}
