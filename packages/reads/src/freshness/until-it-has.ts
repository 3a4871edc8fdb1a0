import { setTimeout as sleep } from "node:timers/promises";
import type { Freshness } from "./freshness.js";

const firstPauseMs = 1;
const maxPauseMs = 20;

/** Asks until the replica has the mark, or the time is over. A replica that can't be asked hasn't it. */
export async function untilItHas(
  { has }: Pick<Freshness, "has">,
  mark: string,
  deadline: number,
): Promise<boolean> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    if (await has(mark)) return true;
    if (performance.now() + pauseMs > deadline) return false;
    await sleep(pauseMs);
  }
}
