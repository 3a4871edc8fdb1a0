import {
  backoffMs,
  isLockstepError,
  outageBackoff,
  startPosition,
  type ChangeLog,
  type ErrorCode,
} from "@lockstep/core";
import type { OpenFeed } from "./feed/open-feed.js";
import { followsAnybody } from "./feed/settle-partitions.js";
import { keepHouse } from "./keep/house.js";
import { report } from "./keep/report.js";
import { settle } from "./keep/settle.js";
import { watchCapture } from "./keep/watch-capture.js";
import { Latch } from "./latch.js";
import { openFeeds, publishForEver, type BrokenFeeds } from "./publish.js";
import { feedQueues } from "./queue/queue-feed.js";
import type { RelayContext, Term } from "./relay-context.js";
import { failureOf, statusOf, type RelayStatus } from "./relay-status.js";

/** What a term tells the relay. */
export interface TermReports {
  show(status: () => RelayStatus): void;
  onCaughtUp(): void;
}

/**
 * Tries to lead and publishes as long as it does. Returns false when another relay leads, true when the term ended because the
 * leadership was lost or the relay drained; throws when the source failed.
 */
export async function leadTerm(
  context: RelayContext,
  stop: AbortSignal,
  reports: TermReports,
): Promise<boolean> {
  const lead = await context.log.lead();
  if (lead === undefined) return false;
  const over = new AbortController();
  let isInterrupted = false;
  const interrupt = (): void => {
    isInterrupted = true;
    over.abort();
  };
  stop.addEventListener("abort", interrupt);
  if (stop.aborted) interrupt();
  void lead.lost.then(interrupt, interrupt);
  context.logger.info({ source: context.source }, "relay leads");
  try {
    await publishUntilOver(context, await openTerm(context.log, over), reports);
    return true;
  } catch (error) {
    if (isLockstepError(error, "RELAY_FENCED")) return false;
    // The leadership was lost, or the relay is to stop: whatever was under way failed with it.
    if (isInterrupted) return true;
    throw error;
  } finally {
    stop.removeEventListener("abort", interrupt);
    await lead.release().catch(() => undefined);
  }
}

async function openTerm(log: ChangeLog, over: AbortController): Promise<Term> {
  return {
    incarnation: await log.incarnation(),
    signal: over.signal,
    end: () => over.abort(),
    top: startPosition,
    published: startPosition,
    total: 0,
    registered: [],
    ahead: new Set(),
    prunes: 0,
    schemas: new Set(),
    lacking: [],
    isCaughtUp: false,
    waiting: undefined,
    ticked: new Set(),
  };
}

/** Publishes, opening the feeds again whenever the stream failed: the source's leadership needn't be given up for that. */
async function publishUntilOver(context: RelayContext, term: Term, reports: TermReports): Promise<void> {
  const broken: BrokenFeeds = { partitions: new Set(), trimmed: new Map() };
  let feeds: readonly OpenFeed[] = [];
  let beside: Promise<unknown> | undefined;
  let failures = 0;
  const onCaughtUp = (): void => {
    failures = 0;
    reports.onCaughtUp();
  };
  try {
    while (!term.signal.aborted) {
      try {
        feeds = await openFeeds(context, term, broken);
        beside ??= Promise.allSettled([
          keepHouse(context, term, () => feeds),
          feedQueues(context, term),
          watchCapture(context, term),
        ]);
        reports.show(() => statusOf(term));
        await publishForEver(context, term, feeds, onCaughtUp);
        await settle(context, term, feeds);
        return;
      } catch (error) {
        const again = noteBroken(context, term, broken, error);
        reports.show(() => failureOf(error));
        // What Redis lost is published again at once; only what fails again and again waits.
        await new Latch().wait(
          again && failures++ === 0 ? 0 : backoffMs(failures, outageBackoff),
          term.signal,
        );
      }
    }
  } catch (error) {
    await reportFailure(context, term, error);
    throw error;
  } finally {
    term.end();
    await beside;
  }
}

/** Notes which streams must begin anew. Returns true when one must; throws what is not the stream's fault. */
function noteBroken(
  { partitions, logger, source }: RelayContext,
  { registered }: Term,
  broken: BrokenFeeds,
  error: unknown,
): boolean {
  if (isLockstepError(error, "STREAM_UNAVAILABLE")) {
    logger.warn({ source, code: error.code }, "relay waits for redis");
    return false;
  }
  if (isLockstepError(error, "STREAM_GAP") && typeof error.details["partition"] === "number") {
    logger.warn({ source, ...error.details }, "stream refused its chain");
    broken.partitions.add(error.details["partition"]);
    return true;
  }
  // A TRUNCATE that nobody follows any more is left behind: new targets start after it.
  const isPassed = isLockstepError(error, "TRUNCATE_PARTITIONED") && !followsAnybody(registered);
  if (isPassed || isLockstepError(error, "HISTORY_GONE")) {
    for (let partition = 0; partition < partitions; partition++) broken.partitions.add(partition);
    return true;
  }
  throw error;
}

/** Errors that a person must end are said in the status; others pass before anybody looks. */
async function reportFailure(context: RelayContext, term: Term, error: unknown): Promise<void> {
  if (!isLockstepError(error) || error.recovery === "retry") return;
  const code: ErrorCode = error.code;
  term.waiting = code;
  await report(context, term, { events: 0, oldestMs: 0 }).catch(() => undefined);
}
