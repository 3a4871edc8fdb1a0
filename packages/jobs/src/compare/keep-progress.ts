import { setTimeout as pause } from "node:timers/promises";
import { type ClaimedJob, type Job, type JobState } from "@lockstep/core";

const everyMs = 500;

/** Keeps how far a job is while something else works on it. */
export interface KeptProgress {
  /** Aborted when the job is no longer to be worked on: it was paused, cancelled or taken over, or can't be kept. */
  readonly signal: AbortSignal;
  /** Keeps it for the last time. @returns what the job became, when that isn't `running`. @throws what keeping threw. */
  end(): Promise<Exclude<JobState, "running"> | "lost" | undefined>;
}

/** Begins. Work that has no step of its own never sees that its job was paused: this looks, twice a second. */
export function keepProgress(claim: ClaimedJob, progress: () => unknown): KeptProgress {
  const isOver = new AbortController();
  const stopped = new AbortController();
  let became: Job["state"] | "lost" | undefined;
  let failure: unknown;
  const keep = async (): Promise<void> => {
    if (await claim.step(async () => ({ progress: progress() }))) return;
    const { state } = await claim.read();
    became = state === "running" ? "lost" : state;
  };
  const loop = async (): Promise<void> => {
    while (!isOver.signal.aborted && became === undefined) {
      try {
        await keep();
      } catch (error) {
        if (!claim.yielded(error)) throw error;
      }
      await pause(everyMs, undefined, { signal: isOver.signal }).catch(() => undefined);
    }
  };
  const looping = loop()
    .catch((error: unknown) => void (failure = error))
    .finally(() => {
      if (!isOver.signal.aborted) stopped.abort();
    });
  return {
    signal: stopped.signal,
    async end() {
      isOver.abort();
      await looping;
      if (failure !== undefined) throw failure as Error;
      if (became === undefined) await keep();
      return became as Exclude<JobState, "running"> | "lost" | undefined;
    },
  };
}
