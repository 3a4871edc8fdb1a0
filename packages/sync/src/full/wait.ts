import { type FullSyncWork, stoppedBy, type Stopped } from "./room.js";

const readEveryMs = 500;

/** Waits until more rows may be copied. */
export async function waitForRoom(work: FullSyncWork): Promise<Stopped | undefined> {
  return waitUntil(work, () => work.flow.hasRoom());
}

/** Waits until every target has passed what was written. */
export async function waitForTargets(work: FullSyncWork): Promise<Stopped | undefined> {
  return waitUntil(work, () => work.flow.hasSettled());
}

/** Asks again and again; the job's state is looked at on the way, as nothing else would notice that it was paused. */
export async function waitUntil(
  work: Pick<FullSyncWork, "claim" | "now" | "flow" | "told">,
  isThere: () => Promise<boolean>,
): Promise<Stopped | undefined> {
  const { claim, now, flow, told } = work;
  let readAt = now();
  while (!(await isThere())) {
    told(flow.trouble ?? "the targets");
    if (now() - readAt < readEveryMs) continue;
    const stopped = stoppedBy(await claim.read());
    if (stopped !== undefined) return stopped;
    readAt = now();
  }
  return undefined;
}
