import { LockstepError } from "@lockstep/core";

/**
 * Bounds the wait for a session's answer: one that was cut without a word, or whose host is gone, gives none. What hangs is left behind; the session is
 * of no use any more.
 * @throws LockstepError SOURCE_UNAVAILABLE.
 */
export async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const tooLate = (): void =>
      reject(new LockstepError("SOURCE_UNAVAILABLE", "the source database doesn't answer"));
    timer = setTimeout(tooLate, timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
