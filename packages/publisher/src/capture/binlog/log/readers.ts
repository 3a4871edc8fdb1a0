import { comparePositions, LockstepError, type LogEnd, type Position } from "@lockstep/core";
import type { LogContext } from "./log-context.js";
import { LogReader } from "./log-reader.js";
import { markFor } from "./marks.js";

/** Readers that are open: one follows the log's end, others feed targets that lag. */
export interface Readers {
  /** A reader that gives what comes after `position`; nobody else has it until it is released. @throws LockstepError HISTORY_GONE. */
  borrow(position: Position): Promise<LogReader>;
  release(reader: LogReader): void;
  /** The one that has read furthest. */
  readonly furthest: LogReader | undefined;
  /** Where the log ends, once one of them has met that. */
  readonly end: LogEnd | undefined;
  /** The newest tick that any of them holds. */
  readonly newest: bigint;
  close(): void;
}

const maxIdleMs = 10_000;

/** No readers yet. `heard` is called when one has something new. */
export function openReaders(context: LogContext, heard: () => void): Readers {
  let readers: LogReader[] = [];

  const closeWhere = (isOver: (reader: LogReader) => boolean): void => {
    for (const reader of readers) if (isOver(reader)) reader.close();
    readers = readers.filter((reader) => !isOver(reader));
  };
  const furthest = (): LogReader | undefined =>
    readers.reduce<LogReader | undefined>(
      (a, b) => (a === undefined || b.scanned.boundary > a.scanned.boundary ? b : a),
      undefined,
    );

  return {
    async borrow(position) {
      const ready = readers
        .filter((r) => !r.isBusy && r.failure === undefined && comparePositions(r.taken, position) <= 0)
        .reduce<LogReader | undefined>(
          (a, b) => (a === undefined || comparePositions(b.taken, a.taken) > 0 ? b : a),
          undefined,
        );
      if (ready) {
        ready.isBusy = true;
        return ready;
      }
      const mark = await context.connections.use((session) => markFor(session, context.names, position));
      if (!mark) {
        throw new LockstepError("HISTORY_GONE", `the log is no longer kept from ${position} on`);
      }
      const reader = await LogReader.open(context, mark, heard);
      reader.isBusy = true;
      readers.push(reader);
      return reader;
    },
    release(reader) {
      reader.isBusy = false;
      reader.idleSince = performance.now();
      const ahead = furthest();
      closeWhere(
        (r) =>
          !r.isBusy &&
          (r.failure !== undefined || (r !== ahead && performance.now() - r.idleSince > maxIdleMs)),
      );
    },
    get furthest() {
      return furthest();
    },
    get end() {
      return readers.find(({ end }) => end !== undefined)?.end;
    },
    get newest() {
      return readers.reduce((newest, { newest: n }) => (n > newest ? n : newest), 0n);
    },
    close: () => closeWhere(() => true),
  };
}
