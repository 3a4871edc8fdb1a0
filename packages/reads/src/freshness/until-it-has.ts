import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError } from "@lockstep/core";
import type { Freshness } from "./freshness.js";

const firstPauseMs = 1;
const maxPauseMs = 20;

/**
 * Asks until the replica has the mark, or the time is over, also where it doesn't answer. A replica that can't be asked hasn't it.
 * @throws LockstepError READ_TOKEN_INVALID, CONFIG_INVALID: asking again wouldn't help.
 */
export async function untilItHas(
  { has }: Pick<Freshness, "has">,
  mark: string,
  deadline: number,
): Promise<boolean> {
  const ask = (): Promise<boolean> =>
    has(mark).catch((error: unknown) => {
      if (isLockstepError(error) && error.recovery === "refuse") throw error;
      return false;
    });
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    if (await inTime(ask(), deadline)) return true;
    if (performance.now() + pauseMs > deadline) return false;
    await sleep(pauseMs);
  }
}

/** The answer, or `undefined` when the deadline comes first. The question isn't taken back. */
export async function inTime<T>(answer: Promise<T>, deadline: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - performance.now()), undefined);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
