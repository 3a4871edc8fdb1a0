import { comparePositions, type Position } from "@lockstep/core";

/** How much a feed holds. An entry without events counts as one event. */
export interface FeedSize {
  readonly events: number;
  readonly bytes: number;
}

interface Held extends FeedSize {
  readonly id: Position;
}

/** What the relay knows of the entries that a feed holds in Redis, so that it needn't ask. */
export class FeedWindow {
  /** Id of the last entry appended, or where the feed began. */
  last: Position;
  /** Everything up to here isn't there any more; `undefined`: not known, the feed was taken over. */
  trimmedThrough: Position | undefined;
  private entries: Held[];
  /** Index of the oldest entry held; a queue by `shift()` would cost O(n) each. */
  private first = 0;
  private held: { events: number; bytes: number };

  /** `unknown`: what a feed taken over from another relay holds at most. */
  constructor(last: Position, unknown?: FeedSize) {
    this.last = last;
    this.trimmedThrough = unknown === undefined ? last : undefined;
    this.held = { events: unknown?.events ?? 0, bytes: unknown?.bytes ?? 0 };
    this.entries = this.held.events > 0 ? [{ id: last, ...this.held }] : [];
  }

  get size(): FeedSize {
    return this.held;
  }

  add(id: Position, { events, bytes }: FeedSize): void {
    const counted = Math.max(1, events);
    this.entries.push({ id, events: counted, bytes });
    this.held.events += counted;
    this.held.bytes += bytes;
    this.last = id;
  }

  /** Entries held, oldest first. */
  *oldest(): Iterable<Held> {
    for (let i = this.first; i < this.entries.length; i++) yield this.entries[i]!;
  }

  /** Forgets entries at or below `through`. */
  trimTo(through: Position): void {
    for (const entry of this.oldest()) {
      if (comparePositions(entry.id, through) > 0) break;
      this.first++;
      this.held.events -= entry.events;
      this.held.bytes -= entry.bytes;
    }
    // Two loops trim; the later one to be answered may be the one that trimmed less.
    const before = this.trimmedThrough;
    if (before === undefined || comparePositions(through, before) > 0) this.trimmedThrough = through;
    if (this.first > 1_000 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }
}

/** True when the feed holds all it may. */
export function isFull({ size }: FeedWindow, bounds: FeedSize): boolean {
  return size.events >= bounds.events || size.bytes >= bounds.bytes;
}

/** How far the targets of a feed are. `undefined`: no target needs anything of it. */
export interface FeedAcks {
  /** Every target has applied this. */
  readonly all: Position | undefined;
  /** The fastest one has. */
  readonly fastest: Position | undefined;
}

/** The last entry that every target has applied, when it is still held. */
export function appliedEverywhere(window: FeedWindow, all: Position | undefined): Position | undefined {
  let through: Position | undefined;
  for (const { id } of window.oldest()) {
    if (all !== undefined && comparePositions(id, all) > 0) break;
    through = id;
  }
  return through;
}

/**
 * What to trim of a full feed: what every target has applied; and when that doesn't free half of it, also what the fastest one has
 * applied, down to half. The slower ones go on over catch-up streams (PROTOCOL.md 3): they must not slow the fastest down to their
 * own speed, one entry of room at a time. The half that stays is where they come back to. `undefined`: nothing, wait.
 */
export function trimPoint(window: FeedWindow, bounds: FeedSize, acks: FeedAcks): Position | undefined {
  let through: Position | undefined;
  let { events, bytes } = window.size;
  for (const entry of window.oldest()) {
    const isApplied = acks.all === undefined || comparePositions(entry.id, acks.all) <= 0;
    const isHalf = events <= bounds.events / 2 && bytes <= bounds.bytes / 2;
    const isApplyable = acks.fastest === undefined || comparePositions(entry.id, acks.fastest) <= 0;
    if (!isApplied && (isHalf || !isApplyable)) break;
    through = entry.id;
    events -= entry.events;
    bytes -= entry.bytes;
  }
  return through;
}
