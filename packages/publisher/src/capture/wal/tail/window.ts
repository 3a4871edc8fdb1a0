import { countOf, type LoggedChanges } from "@lockstep/core";
import { comparePlaces, placeOfEvent, type Place } from "./place.js";

interface Chunk {
  readonly events: readonly LoggedChanges[];
  /** Bytes of the log they came from. */
  readonly bytes: number;
}

/** How far a reader of a window is. */
export interface Cursor {
  chunk: number;
  index: number;
}

/**
 * The newest events of the log, in order and without a hole: what no reader has had yet, and a little of what was read, for those who
 * come just behind. **Maintained invariant**: every event after `from` is here or still to come.
 */
export class Window {
  from: Place;
  /** The last event that came in. */
  last: Place | undefined;
  #chunks: Chunk[] = [];
  /** Number of the first chunk held; numbers only grow. */
  #first = 0;
  /** Number of the chunk that the foremost reader is at. */
  #front = 0;
  #ahead = 0;
  #behind = 0;

  constructor(
    from: Place,
    private readonly maxBehindBytes: number,
  ) {
    this.from = from;
  }

  /** Bytes that no reader has had. */
  get ahead(): number {
    return this.#ahead;
  }

  add(events: readonly LoggedChanges[], bytes: number): void {
    this.#chunks.push({ events, bytes });
    this.#ahead += bytes;
    this.last = placeOfEvent(events.at(-1)!);
  }

  /** A cursor for what follows `after`; `undefined` when that is no longer here. */
  seek(after: Place): Cursor | undefined {
    if (comparePlaces(after, this.from) < 0) return undefined;
    let i = this.#chunks.length;
    // Most readers are near the end.
    while (i > 0 && comparePlaces(placeOfEvent(this.#chunks[i - 1]!.events.at(-1)!), after) > 0) i--;
    const events = this.#chunks[i]?.events ?? [];
    const index = events.findIndex((event) => comparePlaces(placeOfEvent(event), after) > 0);
    return { chunk: this.#first + i, index: Math.max(index, 0) };
  }

  /** About `max` events from the cursor on, up to the end of tick `through`; `undefined` when they are no longer here. */
  take(cursor: Cursor, max: number, through: bigint): LoggedChanges[] | undefined {
    if (cursor.chunk < this.#first) return undefined;
    const page: LoggedChanges[] = [];
    let count = 0;
    for (;;) {
      const chunk = this.#chunks[cursor.chunk - this.#first];
      if (chunk === undefined) break;
      const { events } = chunk;
      while (cursor.index < events.length && count < max && events[cursor.index]!.tick <= through) {
        const next = events[cursor.index++]!;
        page.push(next);
        count += countOf(next);
      }
      if (cursor.index < events.length) break;
      cursor.chunk++;
      cursor.index = 0;
    }
    this.#moveFront(cursor.chunk);
    return page;
  }

  #moveFront(chunk: number): void {
    for (; this.#front < chunk; this.#front++) {
      const { bytes } = this.#chunks[this.#front - this.#first]!;
      this.#ahead -= bytes;
      this.#behind += bytes;
    }
    let drop = 0;
    while (this.#behind > this.maxBehindBytes && this.#first + drop < this.#front) {
      const { events, bytes } = this.#chunks[drop++]!;
      this.#behind -= bytes;
      this.from = placeOfEvent(events.at(-1)!);
    }
    if (drop > 0) this.#chunks = this.#chunks.slice(drop);
    this.#first += drop;
  }
}
