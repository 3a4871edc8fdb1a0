import { type Job, isLockstepError, type JobState } from "@lockstep/core";
import type { OpenSync } from "@lockstep/jobs";
import { expect } from "chai";
import { driveBegun } from "../src/drive-here.js";

const job: Job = {
  id: "7",
  kind: "full",
  options: {},
  progress: 0,
  state: "running",
  startedAt: 0,
  movedAt: 0,
  origin: { by: "command" },
};

describe("a job that another process has taken up", () => {
  /** Another process has the job: it moves at every look, `steps` times, and ends then. */
  const taken = (steps: number, end: JobState): OpenSync => {
    let looks = 0;
    const find = async (): Promise<Job> => {
      const movedAt = Math.min(++looks, steps);
      return { ...job, movedAt, progress: movedAt, state: looks > steps ? end : "running" };
    };
    return { jobs: { claim: async () => undefined, find } } as unknown as OpenSync;
  };

  it("is followed to its end, however long that takes", async () => {
    const seen: unknown[] = [];
    const onProgress = (progress: unknown): void => void seen.push(progress);
    expect(await driveBegun(taken(4, "done"), job, { onProgress }, 250)).to.equal("done");
    expect(seen).to.deep.equal([1, 2, 3, 4]);
  });

  it("is given up when it doesn't move", async () => {
    const refused = await driveBegun(taken(0, "running"), job, {}, 150).catch((error: unknown) => error);
    expect(isLockstepError(refused, "JOB_LIVE")).to.equal(true);
  });
});
