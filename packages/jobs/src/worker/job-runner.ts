import { type LockstepConfig, type Schedule, windowAt } from "@lockstep/config";
import {
  isLockstepError,
  type Job,
  type JobStore,
  kindAndPlace,
  type Logger,
  reasonOf,
} from "@lockstep/core";
import { driveJob } from "../drive-job.js";
import { sumsOf } from "../kind/job-kinds.js";
import { withSync } from "../open-sync.js";

/** What the parts of a worker share. */
export interface WorkerRoom {
  readonly config: LockstepConfig;
  /** Name of the source. */
  readonly source: string;
  readonly store: JobStore;
  /** Those of this source, by name. */
  readonly schedules: Readonly<Record<string, Schedule>>;
  readonly logger: Logger;
  /** What kept the last time of a schedule from beginning so far, by the schedule's name. */
  readonly refusals: Map<string, { readonly dueAt: number; readonly error: unknown }>;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Works on jobs in this process. Disposing gives up what is in hand; it stays `running`, for whoever claims it next. */
export interface JobRunner extends AsyncDisposable {
  /** @param asked a person wants it now, whatever its window says. */
  takeUp(job: Job, asked: boolean): Promise<void>;
  worksOn(id: string): boolean;
  /** Pauses what this process works on whose window has closed. */
  closeWindows(): Promise<void>;
}

/** Makes a runner. */
export function jobRunner(room: WorkerRoom): JobRunner {
  const { store, logger, source, now } = room;
  const stop = new AbortController();
  const working = new Map<string, { readonly done: Promise<void>; readonly closesAt: number | undefined }>();
  const about = ({ id, kind, origin }: Job): object => ({ source, job: id, kind, schedule: origin.schedule });

  async function drive(job: Job): Promise<void> {
    logger.info(about(job), "job taken up");
    try {
      const end = await withSync(room.config, source, (open) => driveJob(open, job, { signal: stop.signal }));
      const { rows, differentRows } = sumsOf((await store.find(job.id).catch(() => undefined)) ?? job);
      logger[differentRows ? "warn" : "info"]({ ...about(job), end, rows, differentRows }, "job left");
    } catch (error) {
      // Another process was faster.
      if (isLockstepError(error, "JOB_LIVE")) return;
      logger.error({ ...about(job), ...codeOf(error) }, "job failed");
    }
  }

  return {
    worksOn: (id) => working.has(id),
    async takeUp(job, asked) {
      if (stop.signal.aborted || working.has(job.id)) return;
      const times = windowOf(job, room.schedules);
      const { isOpen, changesAt } = times === undefined ? { isOpen: true } : windowAt(times, now());
      if (!isOpen && !asked) {
        // Whoever works on it now was asked to, by a person.
        const claim = await store.claim(job.id);
        if (claim !== undefined) await closeWindow(store, job.id);
        await claim?.[Symbol.asyncDispose]();
        return;
      }
      const done = drive(job).finally(() => working.delete(job.id));
      // What a person let go on outside of its window isn't bound by it.
      working.set(job.id, { done, closesAt: isOpen ? changesAt : undefined });
    },
    async closeWindows() {
      for (const [id, { closesAt = Infinity }] of working)
        if (closesAt <= now()) await closeWindow(store, id);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...working.values()].map(({ done }) => done));
    },
  };
}

/** The window that holds for a job: its schedule's, unless a person ran it. */
export function windowOf(
  { origin: { schedule, dueAt } }: Pick<Job, "origin">,
  schedules: WorkerRoom["schedules"],
): Schedule | undefined {
  return schedule === undefined || dueAt === undefined ? undefined : schedules[schedule];
}

/** Where it has ended, or was paused by somebody, nothing is left to do. */
async function closeWindow(store: JobStore, id: string): Promise<void> {
  try {
    await store.move(id, "paused", "JOB_WINDOW_CLOSED");
  } catch (error) {
    if (!isLockstepError(error, "JOB_STATE")) throw error;
  }
}

/** What a log may hold of an error: only Lockstep's own are known to hold no values. */
export function codeOf(error: unknown): object {
  if (isLockstepError(error)) return { code: error.code, error: error.message, because: reasonOf(error) };
  return { error: kindAndPlace(error) };
}
