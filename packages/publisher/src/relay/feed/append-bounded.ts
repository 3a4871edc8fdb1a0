import { countOf, type StreamWriter } from "@lockstep/core";
import type { CutEntry } from "../cut/entry-cutter.js";
import { isFull, trimPoint } from "./feed-window.js";
import type { OpenFeed } from "./open-feed.js";

/** What waiting for room needs. */
export interface Appending {
  readonly stream: StreamWriter;
  /** Waits until a target acknowledged, at most a moment; throws when the relay is to stop. */
  waitForRoom(feed: OpenFeed): Promise<void>;
}

/** Appends entries, trimming or waiting whenever the feed is full. */
export async function appendBounded(
  appending: Appending,
  open: OpenFeed,
  cut: readonly CutEntry[],
): Promise<void> {
  for (let i = 0; i < cut.length;) {
    await makeRoom(appending, open);
    const batch = fitting(open, cut, i);
    const entries = batch.map((c) => c.entry);
    await appending.stream.append(open.feed, open.epoch, entries);
    for (const { entry, bytes } of batch) {
      open.window.add(entry.id, { events: eventsIn(entry), bytes });
    }
    i += batch.length;
  }
}

async function makeRoom({ stream, waitForRoom }: Appending, open: OpenFeed): Promise<void> {
  while (isFull(open.window, open.bounds)) {
    const through = trimPoint(open.window, open.bounds, await open.acked());
    if (through === undefined) await waitForRoom(open);
    else {
      await stream.trim(open.feed, through);
      open.window.trimTo(through);
    }
  }
}

/** Entries from `from` on that fit into the feed; at least one, so that none is too large for ever. */
function fitting({ window, bounds }: OpenFeed, cut: readonly CutEntry[], from: number): CutEntry[] {
  let { events, bytes } = window.size;
  const batch: CutEntry[] = [];
  for (let i = from; i < cut.length; i++) {
    const next = cut[i]!;
    events += Math.max(1, eventsIn(next.entry));
    bytes += next.bytes;
    if (batch.length > 0 && (events > bounds.events || bytes > bounds.bytes)) break;
    batch.push(next);
  }
  return batch;
}

function eventsIn({ events }: CutEntry["entry"]): number {
  return events.reduce((sum, changes) => sum + countOf(changes), 0);
}
