import { comparePositions, type Position } from "@lockstep/core";
import { openCutter, type CutEntry } from "./cut/entry-cutter.js";
import { appendBounded } from "./feed/append-bounded.js";
import { beginCatchUpFeed, type OpenFeed } from "./feed/open-feed.js";
import { watchForHoles, type HoleWatch } from "./log/hole-watch.js";
import { Latch } from "./latch.js";
import { endsAt, readAhead } from "./log/read-ahead.js";
import { refuseGone } from "./feed/refuse-gone.js";
import { appendingOf } from "./publish.js";

import type { RelayContext, Term } from "./relay-context.js";
import { publishNewSchemas } from "./schemas.js";

/** A target's lane that fell behind the main stream, and where it is. */
export interface CatchUp {
  readonly target: string;
  readonly partition: number;
  readonly after: Position;
}

/** A catch-up stream that is being fed. */
export interface CatchUpFeed {
  /** Everything up to here is no longer in the feed. */
  readonly trimmedThrough: Position;
  /** Where the feed ends. */
  readonly last: Position;
  /** Feeds until `signal` aborts. @throws LockstepError HISTORY_GONE; whatever log and stream throw. */
  run(): Promise<void>;
}

/** Feeds a lane from the source over a stream of its own (PROTOCOL.md 3) until `signal` aborts. */
export async function openCatchUp(
  context: RelayContext,
  term: Term,
  { target, partition, after }: CatchUp,
  signal: AbortSignal,
): Promise<CatchUpFeed> {
  const open = await beginCatchUpFeed(context, term, { partition, target }, after);
  const holes = watchForHoles(context.log, term);
  const ticked = new Latch();
  return {
    get trimmedThrough() {
      return open.window.trimmedThrough ?? after;
    },
    get last() {
      return open.window.last;
    },
    async run() {
      term.ticked.add(ticked);
      try {
        while (!signal.aborted) {
          ticked.clear();
          await feedAvailable(context, term, { open, holes, signal });
          await ticked.wait(context.limits.idleMs, signal);
          if (!signal.aborted) await refuseGone(context.stream, open);
        }
      } finally {
        term.ticked.delete(ticked);
      }
    },
  };
}

interface Feeding {
  readonly open: OpenFeed;
  readonly holes: HoleWatch;
  readonly signal: AbortSignal;
}

async function feedAvailable(context: RelayContext, term: Term, feeding: Feeding): Promise<void> {
  const { open, holes, signal } = feeding;
  const { log, limits } = context;
  // Taken before the log is read: what the main stream reached is then certainly cut, and the log's silence about it is an answer.
  const reached = term.published;
  const starts = Array.from({ length: context.partitions }, (_, p) =>
    p === open.feed.partition ? open.window.last : undefined,
  );
  const { maxEntryEvents: maxEvents, maxEntryBytes: maxBytes, pageEvents } = limits;
  const joinsTicks = log.ticksAreTransactions === true;
  const cutter = openCutter({ incarnation: term.incarnation, starts, maxEvents, maxBytes, joinsTicks });
  const appending = appendingOf(context, term, signal);
  for await (const page of readAhead(log.read(open.window.last, { pageEvents, signal }), endsAt(term.top))) {
    signal.throwIfAborted();
    await holes.refuse(open.window.last, page);
    await publishNewSchemas(context, term, page);
    await appendBounded(appending, open, cutter.cut(page));
  }
  // A read that was aborted ends without a word: its silence must not be taken for "nothing here", or the lane would be led over changes it never saw.
  signal.throwIfAborted();
  if (comparePositions(reached, open.window.last) <= 0) return;
  await holes.refuse(open.window.last, []);
  await appendBounded(appending, open, [bridge(open, reached, term)]);
}

/** The log has nothing up to where the main stream stands (it began there, empty): one entry without events leads the lane over. */
function bridge({ feed, window }: OpenFeed, id: Position, term: Term): CutEntry {
  const entry = {
    id,
    previous: window.last,
    incarnation: term.incarnation,
    total: term.total,
    endsTick: true,
    continues: false,
    transactions: [],
    events: [],
  };
  return { partition: feed.partition, entry, bytes: 0 };
}
