import { following, type LoggedChanges, splitPosition, type Position } from "@lockstep/core";
import { wholePages, type FetchImages, type LightPage } from "./large-images.js";
import { groupTicks, type Tick, type TickMemory } from "./tick.js";

/** How an engine reads its ticks. */
export interface TickReading<T extends Tick> {
  readonly ticks: TickMemory<T>;
  readonly pageEvents: number;
  readonly signal?: AbortSignal | undefined;
  /** The ticks that hold what follows ordinal `n` of tick `after`, some at a time. @throws LockstepError HISTORY_GONE. */
  lookUp(after: bigint, n: bigint): Promise<readonly T[]>;
  /** The events of consecutive ticks, which together fit a page or are one larger tick. */
  pagesOf(ticks: readonly T[]): AsyncIterable<LightPage>;
  readonly fetchImages: FetchImages;
}

/** Events after `after`, page by page. Small ticks are read many at a time. */
export async function* readTicks<T extends Tick>(
  reading: TickReading<T>,
  after: Position,
): AsyncGenerator<readonly LoggedChanges[], void, undefined> {
  let { tick, n } = splitPosition(after);
  for (;;) {
    const cut = reading.ticks.after(tick, n);
    const ticks = cut.length > 0 ? cut : await reading.lookUp(tick, n);
    for (const group of groupTicks(ticks, reading.pageEvents)) {
      for await (const { events, left } of reading.pagesOf(group)) {
        const rest = following(events, tick, Number(n));
        // Only now: images of what is left out are not fetched.
        for await (const page of wholePages(rest, left, reading.fetchImages)) {
          if (reading.signal?.aborted) return;
          yield page;
        }
      }
    }
    const last = ticks.at(-1);
    // What this process cut last was the newest: a look for more would find nothing.
    if (!last || cut.length > 0 || reading.signal?.aborted) return;
    tick = last.n;
    n = BigInt(last.events);
  }
}
