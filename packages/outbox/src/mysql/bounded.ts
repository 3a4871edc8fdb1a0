import type { RunStatement } from "@lockstep/core";
import { setTimeout as sleep } from "node:timers/promises";
import { isLockTimeout, sayingWhoIsWaitedFor } from "../waited-for.js";
import { openTransactionsOfOthers } from "./in-the-way.js";

/** How `work` waits for tables that are in use. */
interface Patience {
  /** For one table, s: whoever comes to it meanwhile queues behind who waits. The server's own time is a day, or a year. */
  readonly lockWaitSeconds: number;
  /** How often it is tried. */
  readonly tries: number;
}

/**
 * Runs `work`, which changes tables and may run again, and says who is in the way where one stays in use. Between two tries those who queued behind it are left
 * alone for twice as long as they waited. The session is as it was afterwards.
 * @throws LockstepError CAPTURE_INSTALL_WAITS.
 */
export async function patiently(
  run: RunStatement,
  { lockWaitSeconds, tries }: Patience,
  work: () => Promise<void>,
): Promise<void> {
  const [row] = await run("SELECT @@SESSION.lock_wait_timeout AS seconds");
  const before = Number(row?.["seconds"]);
  await run(`SET SESSION lock_wait_timeout = ${Math.min(before, lockWaitSeconds)}`);
  try {
    await sayingWhoIsWaitedFor(
      () => tryAgain(tries, work),
      () => openTransactionsOfOthers(run),
    );
  } finally {
    // Of a session that is gone nothing is left.
    await run(`SET SESSION lock_wait_timeout = ${before}`).catch(() => undefined);
  }
}

async function tryAgain(tries: number, work: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  try {
    await work();
  } catch (error) {
    if (tries === 1 || !isLockTimeout(error)) throw error;
    await sleep(2 * (performance.now() - begun));
    await tryAgain(tries - 1, work);
  }
}
