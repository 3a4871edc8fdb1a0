import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError, type OutboxHandOver, type RunStatement } from "@lockstep/core";

/** How long writers are held up at most, at the first try and at the last ones, ms. */
const firstHoldMs = 300;
const maxHoldMs = 2_000;

/** Behind a transaction that stays open every writer waits: so many times as long they are left alone then. */
const pausePerHold = 5;

/**
 * Runs `work` in a moment in which nobody writes to the outbox.
 * @throws LockstepError CAPTURE_SWITCH_WAITS when there is none within `timeoutMs`: nothing has happened then.
 */
export async function holdWriters(
  { run, outbox, timeoutMs }: HeldOutbox,
  work: () => Promise<void>,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (let holdMs = firstHoldMs; ; holdMs = Math.min(2 * holdMs, maxHoldMs)) {
    const begun = performance.now();
    if ((await outbox.hold(run, holdMs, work)) !== undefined) return;
    const now = performance.now();
    const pauseMs = pausePerHold * (now - begun);
    if (now + pauseMs > until) throw stayedOpen();
    await sleep(pauseMs);
  }
}

interface HeldOutbox {
  readonly run: RunStatement;
  readonly outbox: Pick<OutboxHandOver, "hold">;
  readonly timeoutMs: number;
}

function stayedOpen(): LockstepError {
  return new LockstepError(
    "CAPTURE_SWITCH_WAITS",
    "a transaction that wrote to a captured table stays open: nothing has changed yet",
  );
}
