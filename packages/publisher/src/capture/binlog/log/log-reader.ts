import {
  LockstepError,
  type LogEnd,
  type LoggedEvent,
  type Position,
  positionOf,
  splitPosition,
} from "@lockstep/core";
import { Latch } from "../../../relay/latch.js";
import { type Dump, openDump } from "../wire/dump.js";
import { Assembler } from "./assembler.js";
import type { LogContext, Scanned } from "./log-context.js";
import type { Mark } from "./marks.js";
import { fileName, placeOf } from "./place.js";

interface Part {
  readonly events: readonly LoggedEvent[];
  readonly bytes: number;
}

/** Bounds of what is received and not yet taken. */
const maxWaitingEvents = 10_000;
const maxWaitingBytes = 16 * 1024 * 1024;
/** Offsets that the server can be asked for. */
const maxOffset = 2 ** 32 - 1;

/** Reads the log from a mark on, ahead of whoever takes from it, within bounds. */
export class LogReader {
  /** The last event that was taken or passed over; nothing at or below it comes any more. */
  taken: Position;
  /** Set whenever something arrived or failed. */
  readonly arrived = new Latch();
  isBusy = false;
  idleSince = performance.now();
  failure: unknown;
  private parts: Part[] = [];
  private waitingEvents = 0;
  private waitingBytes = 0;
  private readonly room = new Latch();
  private isClosed = false;
  private isSameLog = false;

  private constructor(
    private readonly dump: Dump,
    private readonly assembler: Assembler,
    private readonly start: Mark,
    private readonly heard: () => void,
  ) {
    this.taken = start.last;
  }

  /** Begins at a mark. `heard` is called when something arrived. */
  static async open(context: LogContext, start: Mark, heard: () => void): Promise<LogReader> {
    const { file, offset } = placeOf(start.boundary);
    const name = fileName(start.base, file);
    const { connections, serverId } = context;
    // Far into a very long file the server can't be asked for: then it is read from the file's begin.
    const from = offset < 4 || offset > maxOffset ? 4 : offset;
    const dump = await openDump(connections, { file: name, offset: from, serverId, withStatements: true });
    let reader: LogReader | undefined;
    const assembler = new Assembler(context, start, name, (events, bytes) => reader?.add(events, bytes));
    reader = new LogReader(dump, assembler, start, heard);
    void reader.run();
    return reader;
  }

  /** Where it stands, and in which file: what a mark is made of. */
  get mark(): Mark {
    const { scanned, follower } = this.assembler;
    return { ...scanned, base: follower.base, stamp: follower.stamp };
  }

  /** Where the log ends, once that was met. */
  get end(): LogEnd | undefined {
    return this.assembler.end;
  }

  get scanned(): Scanned {
    return this.assembler.scanned;
  }

  /** The newest tick that is waiting to be taken. */
  get newest(): bigint {
    return this.parts.at(-1)?.events[0]?.tick ?? 0n;
  }

  /**
   * Events after `after` up to and including tick `through`, at most about `limit`, as soon as there are any; `undefined` when there
   * is nothing more up to there.
   */
  async take(
    after: Position,
    through: bigint,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly LoggedEvent[] | undefined> {
    for (;;) {
      this.arrived.clear();
      const page = this.takeWaiting(after, through, limit);
      if (page.length > 0) return page;
      if (this.failure !== undefined) throw this.failure;
      const next = this.parts[0]?.events[0];
      if ((next && next.tick > through) || this.scanned.boundary > through) return undefined;
      if (!next && this.end !== undefined) return undefined;
      if (signal.aborted) return undefined;
      await this.arrived.wait(maxWaitMs, signal);
    }
  }

  private takeWaiting(after: Position, through: bigint, limit: number): LoggedEvent[] {
    const page: LoggedEvent[] = [];
    const passed = splitPosition(after);
    let count = 0;
    for (const { events, bytes } of this.parts) {
      if (events[0]!.tick > through || (page.length > 0 && page.length + events.length > limit)) break;
      count++;
      this.waitingEvents -= events.length;
      this.waitingBytes -= bytes;
      const last = events.at(-1)!;
      this.taken = positionOf(last.tick, last.ordinal);
      const isPassed = ({ tick, ordinal }: LoggedEvent): boolean =>
        tick < passed.tick || (tick === passed.tick && BigInt(ordinal) <= passed.n);
      if (isPassed(events[0]!)) page.push(...events.filter((event) => !isPassed(event)));
      else page.push(...events);
    }
    if (count > 0) this.parts = this.parts.slice(count);
    if (this.hasRoom) this.room.set();
    return page;
  }

  private get hasRoom(): boolean {
    return this.waitingEvents < maxWaitingEvents && this.waitingBytes < maxWaitingBytes;
  }

  private add(events: readonly LoggedEvent[], bytes: number): void {
    this.parts.push({ events, bytes });
    this.waitingEvents += events.length;
    this.waitingBytes += bytes;
    this.announce();
  }

  private announce(): void {
    this.arrived.set();
    this.heard();
  }

  private async run(): Promise<void> {
    const never = new AbortController().signal;
    try {
      while (!this.isClosed) {
        const events = await this.dump.take();
        for (const event of events) {
          const pending = this.assembler.push(event);
          if (pending) await pending;
          this.refuseOtherLog();
        }
        // A boundary moved: whoever waits for the end of the log may have reached it.
        this.arrived.set();
        while (!this.hasRoom && !this.isClosed) {
          this.room.clear();
          await this.room.wait(maxWaitMs, never);
        }
      }
    } catch (error) {
      this.failure ??= asLogError(error);
      this.dump.close();
      this.announce();
    }
  }

  /** A log that was begun anew (RESET MASTER, another server) may have a file of the same name (PROTOCOL.md 11). */
  private refuseOtherLog(): void {
    const { stamp } = this.assembler.follower;
    // The first description is that of the file which the mark is in, and comes before its first event.
    if (this.isSameLog || stamp === 0) return;
    if (this.start.stamp !== 0 && this.start.stamp !== stamp) {
      throw new LockstepError(
        "SOURCE_REPLACED",
        "the server's log is another one than the one that was read so far",
      );
    }
    this.isSameLog = true;
  }

  close(): void {
    this.isClosed = true;
    this.failure ??= new LockstepError("SOURCE_UNAVAILABLE", "the reader of the log was closed");
    this.room.set();
    this.arrived.set();
    this.dump.close();
  }
}

const maxWaitMs = 60_000;

/** An event that can't be taken apart must stop the reader with a word: never a guess. */
function asLogError(error: unknown): unknown {
  if (error instanceof LockstepError) return error;
  if (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError) {
    return new LockstepError("CAPTURE_LOG_UNREADABLE", "an event of the log has a form that is not known", {
      cause: error,
    });
  }
  return error;
}
