import type { FullSyncProgress } from "./full-sync-job.js";
import { type FullSyncWork, stoppedBy, type Stopped } from "./room.js";

/** Keeps how far the job is; what stopped it, if anything did. */
export async function keep(work: FullSyncWork, progress: FullSyncProgress): Promise<Stopped | undefined> {
  if (!(await stubborn(work, () => work.claim.step(async () => ({ progress }))))) return whyNot(work);
  work.progress = progress;
  return undefined;
}

/** Again, when it gave way to a lock of the application; `false` when the job is not to go on. */
export async function stubborn(
  work: FullSyncWork,
  step: (refusals: number) => Promise<boolean>,
): Promise<boolean> {
  for (let refusals = 0; ; refusals++) {
    try {
      return await step(refusals);
    } catch (error) {
      if (!work.claim.yielded(error)) throw error;
      work.told("a table that the application writes to");
      if (stoppedBy(await work.claim.read()) !== undefined) return false;
      await work.sleep(Math.min(1_000, 20 * 2 ** refusals));
    }
  }
}

/** Why a step was not made. */
export async function whyNot(work: FullSyncWork): Promise<Stopped> {
  return stoppedBy(await work.claim.read()) ?? "lost";
}
