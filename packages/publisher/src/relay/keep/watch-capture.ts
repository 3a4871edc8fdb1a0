import { type CaptureFinding, isLockstepError } from "@lockstep/core";
import { Latch } from "../latch.js";
import type { RelayContext, Term } from "../relay-context.js";

/** Looking may take this share of the time: a source with thousands of tables is looked at less often. */
const maxShare = 0.05;
const sayAgainMs = 60_000;

/**
 * Looks, as long as a term lasts, whether the capture is still whole at the source: a trigger that somebody dropped, a column that triggers don't know, write
 * images that lack something, and nothing else would notice. What is found is in the status, and said aloud once a minute.
 */
export async function watchCapture(context: RelayContext, term: Term): Promise<void> {
  const { log, limits, elapsed, logger, source } = context;
  if (log.captureFindings === undefined) return;
  let saidAt = -Infinity;
  let said = "";
  while (!term.signal.aborted) {
    const begun = elapsed();
    try {
      term.lacking = await log.captureFindings();
      const found = textOf(term.lacking);
      if (found !== "" && (found !== said || elapsed() - saidAt >= sayAgainMs)) {
        saidAt = elapsed();
        logger.error(
          { source, code: "CAPTURE_INCOMPLETE", lacking: term.lacking.map(({ message }) => message) },
          "capture is not whole: targets miss changes, or parts of them, until it is mended",
        );
      } else if (found === "" && said !== "") logger.info({ source }, "capture is whole again");
      said = found;
    } catch (error) {
      // The source is away, or in the middle of a change of its tables: looked at again.
      const code = isLockstepError(error) ? error.code : "unknown";
      if (!term.signal.aborted) logger.debug({ source, code }, "capture could not be looked at");
    }
    const taken = elapsed() - begun;
    await new Latch().wait(Math.max(limits.captureCheckMs, taken / maxShare), term.signal);
  }
}

function textOf(findings: readonly CaptureFinding[]): string {
  return findings
    .map(({ message }) => message)
    .toSorted()
    .join("; ");
}
