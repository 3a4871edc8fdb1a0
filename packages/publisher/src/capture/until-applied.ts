import { setTimeout as sleep } from "node:timers/promises";
import {
  LockstepError,
  type OutboxHandOver,
  type Position,
  positionOf,
  type RunStatement,
} from "@lockstep/core";

const lookEveryMs = 100;

/** Above every position. */
const beyondAll = positionOf(2n ** 63n - 1n, 0);

/**
 * Waits until every following target has applied everything up to and including a position; which one may become known only while it waits. Gives it,
 * or `undefined` when nobody follows and it isn't known.
 * @throws LockstepError CAPTURE_SWITCH_WAITS when that takes longer than `timeoutMs`.
 */
export async function untilApplied(
  {
    run,
    writer,
    timeoutMs,
  }: {
    readonly run: RunStatement;
    readonly writer: { readonly handOver: Pick<OutboxHandOver, "behind"> };
    readonly timeoutMs: number;
  },
  known: Position | (() => Promise<Position | undefined>),
): Promise<Position | undefined> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const position = typeof known === "string" ? known : await known();
    const behind = await writer.handOver.behind(run, position ?? beyondAll);
    if (behind.length === 0) return position;
    if (performance.now() >= until) throw stillBehind(position, behind);
    await sleep(lookEveryMs);
  }
}

function stillBehind(position: Position | undefined, behind: readonly string[]): LockstepError {
  const where =
    position === undefined
      ? "no relay has read the log to its end"
      : `not everything up to ${position} is applied`;
  return new LockstepError("CAPTURE_SWITCH_WAITS", `${where}: ${behind.join(", ")}`);
}
