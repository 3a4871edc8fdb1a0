import { type JobState, liveStates } from "@lockstep/core";
import type { JobView, ScheduleView } from "@lockstep/jobs";
import type { SourceDesk } from "./source-desk.js";

/** What there is to say of a source's jobs at one moment. */
export interface JobsObservation {
  readonly source: string;
  readonly live: readonly JobView[];
  /** The last one of each kind that ended. */
  readonly ended: readonly JobView[];
  readonly schedules: readonly ScheduleView[];
}

const overStates = ["done", "failed", "cancelled"] as const satisfies readonly JobState[];
const recent = 20;

/** Looks at a source's jobs. What is silent is left out. */
export async function observeJobs({ source, ask }: SourceDesk): Promise<JobsObservation | undefined> {
  try {
    return await ask(async (desk) => {
      const [live, over, schedules] = await Promise.all([
        desk.list({ states: liveStates, limit: recent }),
        desk.list({ states: overStates, limit: recent }),
        desk.schedules(),
      ]);
      const kinds = new Map(over.toReversed().map((job) => [job.kind, job]));
      return { source: source.name, live, ended: [...kinds.values()], schedules };
    });
  } catch {
    return undefined;
  }
}
