import type { DueLetter, LetterSchedule } from "@lockstep/core";
import { laneNudges } from "../lane-nudges.js";
import { linkedQueue } from "../queue/linked-queue.js";
import { openLink, type LinkOptions } from "../redis-link.js";
import { letterJobId, letterQueue } from "./letter-queue.js";

/** Settings of {@link bullLetterSchedule}. */
export interface LetterScheduleOptions extends LinkOptions {
  readonly source: string;
}

/** A letter schedule with connections of its own. */
export interface ClosableLetterSchedule extends LetterSchedule {
  close(): Promise<void>;
}

/**
 * Letters as delayed BullMQ jobs. `schedule` and `nudge` throw LockstepError STREAM_UNAVAILABLE when Redis can't be reached;
 * nothing is lost then: lanes schedule again from the records in the target.
 */
export function bullLetterSchedule(options: LetterScheduleOptions): ClosableLetterSchedule {
  const link = openLink(options);
  const nudges = laneNudges(options, link);
  const { name, prefix } = letterQueue(options.source);
  const queue = linkedQueue<DueLetter>(link, name, { prefix, ...settings });
  return {
    async schedule(letter, delayMs) {
      const delay = Math.max(0, Math.round(delayMs));
      await queue.call((open) => open.add("due", letter, { jobId: letterJobId(letter), delay }));
    },
    nudge: (lane) => nudges.nudge(lane),
    onNudge: (lane, wake) => nudges.onNudge(lane, wake),
    async close() {
      nudges.close();
      await queue.close();
      link.close();
    },
  };
}

const settings = {
  streams: { events: { maxLen: 1_000 } },
  defaultJobOptions: {
    // A job that stays would make its id's next schedule a silent no-op.
    removeOnComplete: true,
    removeOnFail: true,
    attempts: 10,
    backoff: { type: "custom" },
    keepLogs: 0,
    stackTraceLimit: 1,
    sizeLimit: 16_384,
  },
};
