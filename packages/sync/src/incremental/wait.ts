import { waitUntil } from "../full/wait.js";
import type { Ended, IncrementalWork } from "./room.js";

/** Waits until more rows may be sent. */
export function waitForRoom(work: IncrementalWork): Promise<Ended | undefined> {
  return unlessStopped(work, () => work.flow.hasRoom());
}

/** Waits until every target has passed what was sent. */
export function waitForTargets(work: IncrementalWork): Promise<Ended | undefined> {
  return unlessStopped(work, () => work.flow.hasSettled());
}

/** Waits for so long. */
export function waitFor(work: IncrementalWork, ms: number): Promise<Ended | undefined> {
  const until = work.now() + ms;
  const idle = { ...work, told: () => undefined };
  return unlessStopped(idle, async () => {
    const left = until - work.now();
    if (left > 0) await work.sleep(Math.min(left, 100));
    return left <= 0;
  });
}

async function unlessStopped(
  work: IncrementalWork,
  isThere: () => Promise<boolean>,
): Promise<Ended | undefined> {
  const stopped = await waitUntil(work, async () => work.stop.aborted || (await isThere()));
  return stopped ?? (work.stop.aborted ? "stopped" : undefined);
}
