import { isLockstepError } from "@lockstep/core";
import type { OpenFeed } from "../feed/open-feed.js";
import { Latch } from "../latch.js";
import type { RelayContext, Term } from "../relay-context.js";
import { publishSchemas } from "../schemas.js";
import { openAttendant } from "./attend.js";
import { report } from "./report.js";
import { settle } from "./settle.js";

/** How close together calls of lanes are attended to, ms: acknowledgements call too, all the time. */
const spacingMs = 100;

/** How often schemas are published again: Redis may have lost them alone. */
const schemasEveryMs = 10_000;

/**
 * What goes on beside publishing while a relay leads: attends to lanes when they call, settles acknowledgements and reports once a
 * second. One pass at a time; ends when the term does. Errors wait for the next pass: the main loop meets the same ones.
 */
export async function keepHouse(
  context: RelayContext,
  term: Term,
  feeds: () => readonly OpenFeed[],
): Promise<void> {
  const { called, limits, elapsed, logger, source } = context;
  const attendant = openAttendant(context, term);
  let settleAt = -Infinity;
  let schemasAt = elapsed() + schemasEveryMs;
  while (!term.signal.aborted) {
    try {
      called.clear();
      await attendant.attend();
      if (elapsed() >= settleAt) {
        // Counted from the start, so that a slow prune doesn't make acknowledgements rarer.
        settleAt = elapsed() + limits.settleMs;
        await settle(context, term, feeds());
        await report(context, term, await context.log.backlog());
      }
      if (elapsed() >= schemasAt) {
        schemasAt = elapsed() + schemasEveryMs;
        await publishSchemas(context, term);
      }
    } catch (error) {
      if (!term.signal.aborted) logger.warn({ source, code: codeOf(error) }, "relay could not settle");
      settleAt = elapsed() + limits.settleMs;
    }
    await called.wait(Math.max(spacingMs, settleAt - elapsed()), term.signal);
    await new Latch().wait(spacingMs, term.signal);
  }
  await attendant.end();
}

function codeOf(error: unknown): string {
  return isLockstepError(error) ? error.code : "unknown";
}
