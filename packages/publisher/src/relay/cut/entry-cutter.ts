import {
  comparePositions,
  countOf,
  eventsOf,
  firstOrdinalOf,
  isPacked,
  positionOf,
  type Changes,
  type LoggedChanges,
  type Position,
} from "@lockstep/core";
import { OpenEntry, type FinishedEntry } from "./open-entry.js";
import { route } from "./route.js";

/** Settings of {@link openCutter}. */
export interface CutterOptions {
  readonly incarnation: string;
  /** Last position published, by partition; events at or below it are left out. `undefined`: this partition is not cut here. */
  readonly starts: readonly (Position | undefined)[];
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Where each tick is one transaction: entries hold as many as are there. Default false: a tick's end is an entry's end. */
  readonly joinsTicks?: boolean;
}

/** An entry for a partition, and the size of its rows. */
export interface CutEntry extends FinishedEntry {
  readonly partition: number;
}

/** Cuts the log into entries: pure apart from what it keeps of the page before. */
export interface EntryCutter {
  /** Entries that a page completes. Unless ticks are joined, the entries are the same however the log is split into pages. */
  cut(page: readonly LoggedChanges[]): CutEntry[];
}

/**
 * Whole transactions of one tick per entry, up to the bounds; a transaction that is larger comes in parts, marked `continues`.
 * The end of each tick is told to every partition (PROTOCOL.md 23).
 */
export function openCutter(options: CutterOptions): EntryCutter {
  const partitions = options.starts.length;
  const joins = options.joinsTicks === true;
  /** With several partitions a tick's last event may be another one's. */
  const endsTicks = joins && partitions === 1;
  /** The last tick's end, while it is not told. */
  let untold: { readonly ordinal: number; readonly total: number } | undefined;
  const open = options.starts.map((start) => start && new OpenEntry(start));
  let tick = -1n;
  let transaction = 0;
  let finished: CutEntry[] = [];
  const emit = (partition: number, done: FinishedEntry): void => void finished.push({ partition, ...done });

  const starts = [...options.starts];
  const isCovered = (partition: number, { tick, ordinal }: LoggedChanges): boolean => {
    const start = starts[partition];
    if (start === undefined) return false;
    if (comparePositions(positionOf(tick, ordinal), start) <= 0) return true;
    // The log is in order: from here on nothing is covered, and positions needn't be compared.
    starts[partition] = undefined;
    return false;
  };

  const place = (partition: number, changes: Changes, logged: LoggedChanges): void => {
    const entry = open[partition];
    if (!entry || isCovered(partition, logged)) return;
    const bytes = sizeOf(changes);
    const count = countOf(changes);
    const isFull = (): boolean =>
      entry.length > 0 &&
      (entry.length + count > options.maxEvents || entry.bytes + bytes > options.maxBytes);
    if (isFull() && entry.isIn(transaction) && entry.hasWhole) {
      emit(partition, entry.takeWhole(options.incarnation, endsTicks));
    }
    // Only now, when the transaction's next event is here, is it sure that it continues in this partition.
    if (isFull()) {
      const continues = entry.isIn(transaction);
      emit(partition, entry.takeAll(options.incarnation, continues, endsTicks && !continues));
    }
    entry.add(changes, logged, transaction, bytes);
  };

  const endTick = (ordinal: number, total: number): void => {
    const id = positionOf(tick, ordinal);
    const end = { id, incarnation: options.incarnation, total, endsTick: true, continues: false };
    for (const [partition, entry] of open.entries()) {
      if (entry && comparePositions(id, entry.previous) > 0) emit(partition, entry.take(end));
    }
  };

  /** The rest of a large transaction, whose other parts may be staged somewhere, is an entry by itself. */
  const mayJoin = (): boolean =>
    joins && open.every((entry) => entry === undefined || entry.previousTick !== tick);
  const tellEnd = (): void => {
    if (untold) endTick(untold.ordinal, untold.total);
    untold = undefined;
  };

  /** Packed changes stay together where they may: in one partition, in one entry, wholly behind where it starts. */
  const isToUnpack = (changes: LoggedChanges): boolean => {
    if (!isPacked(changes)) return false;
    const { tick, ordinal, count } = changes;
    const isCut = (start: Position): boolean =>
      comparePositions(positionOf(tick, firstOrdinalOf(changes)), start) <= 0 &&
      comparePositions(start, positionOf(tick, ordinal)) < 0;
    return partitions > 1 || count > options.maxEvents || (starts[0] !== undefined && isCut(starts[0]));
  };
  const apart = (page: readonly LoggedChanges[]): readonly LoggedChanges[] =>
    page.flatMap((changes) => (isToUnpack(changes) ? eventsOf([changes]) : changes));

  let last: LoggedChanges | undefined;
  return {
    cut(page) {
      finished = [];
      for (const event of apart(page)) {
        // The rest of the tick was pruned under the reader: nobody needs it.
        if (last && !last.endsTick && event.tick !== tick) {
          endTick(last.ordinal, last.total);
          transaction++;
        }
        if (event.tick !== tick) untold = undefined;
        tick = event.tick;
        for (const { partition, changes } of route(event, partitions)) place(partition, changes, event);
        if (event.endsTransaction || event.endsTick) transaction++;
        if (event.endsTick) {
          untold = event;
          if (!mayJoin()) tellEnd();
        }
        last = event;
      }
      tellEnd();
      return finished;
    },
  };
}

/** Bytes of its lines, about. */
function sizeOf(changes: Changes): number {
  if (isPacked(changes)) return 16 + Buffer.byteLength(changes.lines) + changes.count;
  const { key, image, before, version = "" } = changes;
  return (
    16 +
    Buffer.byteLength(key) +
    version.length +
    (image === undefined ? 0 : Buffer.byteLength(image)) +
    (before === undefined ? 0 : Buffer.byteLength(before))
  );
}
