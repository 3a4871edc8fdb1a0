import type { Queue } from "bullmq";
import { linkedQueue } from "../queue/linked-queue.js";
import { shortJobs, startQueueWorker } from "../queue/queue-worker.js";
import { openLink, type LinkOptions } from "../redis-link.js";

/** Name and key prefix of the BullMQ queue that says when a source's jobs are due. */
export function jobQueue(source: string): { readonly name: string; readonly prefix: string } {
  return { name: "jobs", prefix: `{lockstep:${source}}` };
}

/** When a schedule is due. */
export interface DueTimes {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
}

/** Settings of {@link startJobClock}. */
export interface JobClockOptions extends LinkOptions {
  readonly source: string;
  /** A schedule is due; `dueAt` in ms since 1970. To be done in a moment; an error means "not now". It may come twice, and from several processes. */
  onDue(schedule: string, dueAt: number): Promise<void>;
  /** A job waits for somebody who works on it. As above. */
  onCall(job: string): Promise<void>;
}

/** Says when jobs are due. */
export interface JobClock extends AsyncDisposable {
  /** Brings Redis in line with the configuration, whatever is there. @throws LockstepError STREAM_UNAVAILABLE. */
  keep(schedules: readonly DueTimes[]): Promise<void>;
}

type Data = { readonly schedule: string } | { readonly job: string };

/** BullMQ as the clock: it only says when. What runs, what ran and what was missed is in the source's own records. */
export async function startJobClock(options: JobClockOptions): Promise<JobClock> {
  const { source, onDue, onCall } = options;
  const { name, prefix } = jobQueue(source);
  const link = openLink(options);
  const queue = linkedQueue<Data>(link, name, { prefix, ...shortJobs });
  const worker = await startQueueWorker<Data>({
    ...options,
    queue: { name, prefix },
    fields: { source },
    concurrency: 4,
    async work({ data, opts, timestamp, delay }) {
      // `prevMillis` of a scheduler's job is its own time: it doesn't move when the job is tried again.
      if ("schedule" in data) await onDue(data.schedule, opts.prevMillis ?? timestamp + delay);
      else await onCall(data.job);
    },
  });
  return {
    keep: (schedules) => queue.call((open) => keep(open as Queue, schedules)),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await queue.close();
      link.close();
    },
  };
}

/** A time that nobody took off the queue for so long: its job is gone, or was never there. */
const overdueMs = 60_000;

async function keep(queue: Queue, schedules: readonly DueTimes[]): Promise<void> {
  const kept = new Map((await queue.getJobSchedulers()).map((one) => [one.key, one]));
  for (const { name, cron, timeZone } of schedules) {
    const found = kept.get(name);
    kept.delete(name);
    // One that is as it should be is left alone: to put it there again would take back what is just due.
    const isRight = found?.pattern === cron && found.tz === timeZone;
    if (isRight && (found.next ?? 0) > Date.now() - overdueMs) continue;
    const template = { name: "due", data: { schedule: name }, opts: shortJobs.defaultJobOptions };
    await queue.upsertJobScheduler(name, { pattern: cron, tz: timeZone }, template);
  }
  for (const name of kept.keys()) await queue.removeJobScheduler(name);
}

/** Calls for somebody who works on a job. */
export interface JobCalls {
  /** Calling twice is harmless. @throws LockstepError STREAM_UNAVAILABLE. */
  call(job: string): Promise<void>;
  close(): Promise<void>;
}

/** The side of whoever starts a job and doesn't work on it. */
export function jobCalls(options: LinkOptions & { readonly source: string }): JobCalls {
  const { name, prefix } = jobQueue(options.source);
  const link = openLink(options);
  const queue = linkedQueue<Data>(link, name, { prefix, ...shortJobs });
  return {
    async call(job) {
      await queue.call((open) => open.add("call", { job }, { jobId: `job-${job}` }));
    },
    async close() {
      await queue.close();
      link.close();
    },
  };
}
