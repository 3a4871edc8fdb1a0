import type { DueLetter, LetterSchedule } from "@lockstep/core";
import { laneNudges } from "../lane-nudges.js";
import { linkedQueue } from "../queue/linked-queue.js";
import { shortJobs } from "../queue/queue-worker.js";
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
  const queue = linkedQueue<DueLetter>(link, name, { prefix, ...shortJobs });
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
