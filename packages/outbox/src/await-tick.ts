import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError, type Position } from "@lockstep/core";

const firstPauseMs = 1;
const maxPauseMs = 50;

/** Looks until `look` gives a position. @throws LockstepError RELAY_SILENT when no tick was cut in time. */
export async function awaitTick(
  look: () => Promise<Position | undefined>,
  timeoutMs: number,
): Promise<Position> {
  const until = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(1.5 * pauseMs, maxPauseMs)) {
    const position = await look();
    if (position !== undefined) return position;
    if (performance.now() + pauseMs > until) {
      throw new LockstepError("RELAY_SILENT", `no relay cut what was committed within ${timeoutMs} ms`);
    }
    await sleep(pauseMs);
  }
}
