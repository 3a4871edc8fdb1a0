import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "@lockstep/core";

const maxTries = 12;
const maxPauseMs = 2_000;

/** Tries again, later and later, while `work` fails on a lock of the application. @throws LockstepError SOURCE_BUSY. */
export async function givingWay<T>(
  work: () => Promise<T>,
  isLocked: (error: unknown) => boolean,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      if (tries === maxTries) {
        throw new LockstepError("SOURCE_BUSY", "the application held its locks for too long", { cause });
      }
      await sleep(Math.min(20 * 2 ** tries, maxPauseMs));
    }
  }
}
