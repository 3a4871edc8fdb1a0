import { countOf, earlier, endOfTick } from "@lockstep/core";
import { openCutter, type CutEntry } from "./cut/entry-cutter.js";
import { appendBounded, type Appending } from "./feed/append-bounded.js";
import { openMainFeed, type OpenFeed } from "./feed/open-feed.js";
import { refuseGone } from "./feed/refuse-gone.js";
import { settlePartitions } from "./feed/settle-partitions.js";
import { inPublishSpan } from "./feed/publish-span.js";
import { watchForHoles } from "./log/hole-watch.js";
import { endsAt, readAhead } from "./log/read-ahead.js";
import { changeWaiter } from "./log/wait-for-changes.js";
import { Pace } from "./log/pace.js";
import { Latch } from "./latch.js";
import { announceTick, type RelayContext, type Term } from "./relay-context.js";
import { publishNewSchemas, publishSchemas } from "./schemas.js";

/** What must not be taken over when the feeds are opened again. */
export interface BrokenFeeds {
  /** Partitions whose stream refused its chain. */
  readonly partitions: Set<number>;
  /** By partition: what its last epoch had trimmed. */
  readonly trimmed: Map<number, OpenFeed["window"]>;
}

/** Opens every partition's stream and publishes the schemas of its epoch. */
export async function openFeeds(context: RelayContext, term: Term, broken: BrokenFeeds): Promise<OpenFeed[]> {
  term.registered = await context.log.targets();
  await settlePartitions(context, term.registered);
  term.top = await context.log.top();
  const prunedThrough = await context.log.prunedThrough();
  term.schemas.clear();
  await publishSchemas(context, term);
  const feeds: OpenFeed[] = [];
  for (let partition = 0; partition < context.partitions; partition++) {
    const mustBegin = broken.partitions.has(partition);
    const leftBehind = broken.trimmed.get(partition)?.trimmedThrough;
    const opened = await openMainFeed(context, term, partition, { prunedThrough, mustBegin, leftBehind });
    broken.partitions.delete(partition);
    broken.trimmed.set(partition, opened.window);
    feeds.push(opened);
  }
  term.published = feeds[0]!.window.last;
  term.total = Math.max(term.total, feeds[0]!.openedAtTotal);
  return feeds;
}

/**
 * Cuts ticks and publishes them until there is nothing left and the relay is draining, or until the term ends.
 * @throws LockstepError STREAM_GAP when a stream refuses its chain; whatever log and stream throw.
 */
export async function publishForEver(
  context: RelayContext,
  term: Term,
  feeds: readonly OpenFeed[],
  onCaughtUp: () => void,
): Promise<void> {
  const { log, nudged, elapsed, limits } = context;
  const waitForChanges = changeWaiter(context);
  // Ticks may have been cut and not published, by this relay or by the one before.
  let isBehind = true;
  const pace = new Pace(limits.restMs);
  while (!term.signal.aborted) {
    const began = elapsed();
    let rest = 0;
    nudged.clear();
    const tick = await log.cut();
    if (tick) term.top = endOfTick(tick.tick);
    const isNews = tick !== undefined || isBehind;
    if (isNews) {
      term.isCaughtUp = false;
      const published = await publishAvailable(context, term, feeds);
      rest = pace.restAfter({ began, ended: elapsed(), ...published });
      isBehind = false;
      announceTick(term);
    }
    term.isCaughtUp = true;
    onCaughtUp();
    if (context.draining.aborted && !isNews) return;
    if (!isNews) for (const open of feeds) await refuseGone(context.stream, open);
    if (context.draining.aborted) continue;
    if (rest > 0) await new Latch().wait(rest, term.signal);
    // No second cut to see that nothing is left: waiting looks first, and that is cheaper.
    else await waitForChanges(term);
  }
}

/** @returns how much was published. */
async function publishAvailable(
  context: RelayContext,
  term: Term,
  feeds: readonly OpenFeed[],
): Promise<{ readonly transactions: number; readonly rows: number }> {
  const { log, limits } = context;
  const starts = feeds.map((f) => f.window.last);
  const from = starts.reduce(earlier);
  const holes = watchForHoles(log, term);
  const cutter = openCutter({
    incarnation: term.incarnation,
    starts,
    maxEvents: limits.maxEntryEvents,
    maxBytes: limits.maxEntryBytes,
    joinsTicks: log.ticksAreTransactions === true,
  });
  const read = { pageEvents: limits.pageEvents, signal: term.signal };
  let appending: Promise<void> = Promise.resolve();
  let transactions = 0;
  let rows = 0;
  try {
    for await (const page of readAhead(log.read(from, read), endsAt(term.top))) {
      await holes.refuse(from, page);
      await publishNewSchemas(context, term, page);
      const cut = cutter.cut(page);
      for (const changes of page) rows += countOf(changes);
      for (const { entry } of cut) transactions += entry.transactions.length;
      // One page is appended while the next is read and cut: never more, so memory stays flat.
      await appending;
      term.signal.throwIfAborted();
      appending = appendAll(context, term, feeds, cut);
      appending.catch(() => undefined);
    }
  } finally {
    await appending;
  }
  return { transactions, rows };
}

async function appendAll(
  context: RelayContext,
  term: Term,
  feeds: readonly OpenFeed[],
  cut: readonly CutEntry[],
): Promise<void> {
  const appending = appendingOf(context, term);
  const mine = (open: OpenFeed): readonly CutEntry[] =>
    feeds.length === 1 ? cut : cut.filter((c) => c.partition === open.feed.partition);
  const entries = cut.map((c) => c.entry);
  await inPublishSpan(context.source, entries, async () => {
    const done = await Promise.allSettled(feeds.map((open) => appendBounded(appending, open, mine(open))));
    for (const outcome of done) if (outcome.status === "rejected") throw outcome.reason;
  });
  term.waiting = undefined;
  term.published = feeds[0]!.window.last;
  term.total = entries.at(-1)?.total ?? term.total;
}

/** Waits for room in a feed are short: an acknowledgement may come without a call. */
const roomPollMs = 50;

/** How the relay appends: it says what it waits for, and stops waiting when its term ends or the relay drains. */
export function appendingOf(
  { stream, called, draining, limits }: RelayContext,
  term: Term,
  signal: AbortSignal = term.signal,
): Appending {
  let lookedAt = performance.now();
  return {
    stream,
    async waitForRoom(open) {
      const { feed } = open;
      if (feed.target === undefined) term.waiting = `the stream of partition ${feed.partition} is full`;
      draining.throwIfAborted();
      called.clear();
      await called.wait(roomPollMs, signal);
      signal.throwIfAborted();
      if (performance.now() - lookedAt < limits.idleMs) return;
      await refuseGone(stream, open);
      lookedAt = performance.now();
    },
  };
}
