import { type Backlog, maxReportedFindings } from "@lockstep/core";
import type { RelayContext, Term } from "../relay-context.js";

/** Says in Redis how the relay is. */
export async function report(context: RelayContext, term: Term, backlog: Backlog): Promise<void> {
  const { stream, source, partitions, name, now } = context;
  const { incarnation, published, total, waiting, ahead, lacking } = term;
  const reason = ahead.size > 0 ? `SOURCE_REPLACED: ${ahead.size} targets are ahead of the source` : waiting;
  const { events, oldestMs, ...heldLog } = backlog;
  await stream.report({
    source,
    relay: name,
    incarnation,
    partitions,
    leader: true,
    at: now(),
    published,
    total,
    backlogEvents: events,
    backlogOldestMs: oldestMs,
    ...heldLog,
    ...(lacking.length > 0 && {
      captureFindings: lacking.slice(0, maxReportedFindings).map(({ message }) => message),
    }),
    ...(reason === undefined ? {} : { waiting: reason }),
  });
}
