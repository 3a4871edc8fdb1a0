import { LockstepError } from "@lockstep/core";

/**
 * Runs `work`, which changes tables that others use; where the server gave up waiting for them, says who is in the way. `inTheWay`: the transactions that may be, a
 * phrase each.
 * @throws LockstepError CAPTURE_INSTALL_WAITS; what else `work` throws.
 */
export async function sayingWhoIsWaitedFor<T>(
  work: () => Promise<T>,
  inTheWay: () => Promise<readonly string[]>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isLockTimeout(cause)) throw cause;
    // Where it can't be asked any more, as in a transaction that has failed.
    const found = await inTheWay().catch(() => []);
    const who = found.length === 0 ? "" : `: ${found.join(", ")}`;
    throw new LockstepError("CAPTURE_INSTALL_WAITS", `open transactions of the source are waited for${who}`, {
      cause,
    });
  }
}

const lockNotAvailable = "55P03";
const lockWaitTimeout = 1205;

/** True when the server gave up waiting for a lock, as an error of the driver, or of TypeORM around it, says. */
export function isLockTimeout(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("driverError" in error && error.driverError !== error) return isLockTimeout(error.driverError);
  return (
    ("code" in error && error.code === lockNotAvailable) ||
    ("errno" in error && error.errno === lockWaitTimeout)
  );
}
