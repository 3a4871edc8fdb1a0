import { setImmediate as nextTurn } from "node:timers/promises";
import { following, LockstepError, type LoggedChanges } from "@lockstep/core";
import { lockstepErrorOf } from "@lockstep/outbox/postgres";
import { Latch } from "../../../relay/latch.js";
import { openLogStream, type LogStream, type LogStreamSettings } from "./log-stream.js";
import type { Place } from "./place.js";
import { Window } from "./window.js";

/** Settings of {@link openTail}. */
export interface TailSettings extends Omit<LogStreamSettings, "deliver" | "advanced" | "failed"> {
  /** Everything after this is wanted. */
  readonly after: Place;
  /** Bytes of the log that are kept though they were read. */
  readonly maxBehindBytes: number;
}

/**
 * The log from a place on, as far as it has come in. Never more than a few megabytes: the server waits with the rest. The socket is read only
 * while somebody waits for what it brings: a busy server would wake this process with every row, and what comes in meanwhile is read at one go.
 */
export interface Tail {
  /** Where it began. */
  readonly after: Place;
  readonly window: Window;
  readonly stream: LogStream;
  /** Why it ended; `undefined` while it goes on. */
  failure(): unknown;
  /**
   * Pages from `cursor` on, up to the end of the tick that `through` gives; waits while that isn't here yet. Returns true when it got there
   * (or was aborted), false when the window has moved on past the cursor. `place` follows what was given. @throws what the stream died of.
   */
  pages(
    place: { at: Place },
    reading: TailReading,
  ): AsyncGenerator<readonly LoggedChanges[], boolean, undefined>;
  /** Takes what the socket has, when it wasn't read. */
  look(): Promise<void>;
  /** Returns when something came in, at the latest after `timeoutMs`. */
  changed(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How a tail is read. */
interface TailReading {
  readonly pageEvents: number;
  readonly through: () => bigint;
  readonly signal: AbortSignal;
}

/** The socket is paused while this much waits for a reader. */
const maxAheadBytes = 4 * 1024 * 1024;
const lookAgainMs = 1_000;

/** Begins to receive. Resolves when the server sends. */
export async function openTail(settings: TailSettings): Promise<Tail> {
  const { after, maxBehindBytes } = settings;
  const window = new Window(after, maxBehindBytes);
  const news = new Latch();
  /** How many wait for what comes in. */
  let wanting = 0;
  let telling: NodeJS.Immediate | undefined;
  /** Once for all that the socket has: what readers do costs about the same for one piece as for thirty. */
  const tell = (): void => {
    telling ??= setImmediate(() => {
      telling = undefined;
      news.set();
    });
  };
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error: lockstepErrorOf(error) };
    news.set();
  };
  const stream = await openLogStream({
    ...settings,
    deliver(events, bytes) {
      const rest = following(events, after.tick, after.n);
      if (rest.length > 0) window.add(rest, bytes);
      tell();
      return wanting > 0 && window.ahead < maxAheadBytes;
    },
    advanced: tell,
    failed: (error) => fail(error),
  });

  /** Has the socket read until `waited` is over. */
  async function reading(waited: (wasHeld: boolean) => Promise<unknown>): Promise<void> {
    wanting++;
    try {
      await waited(window.ahead < maxAheadBytes && stream.goOn());
    } finally {
      wanting--;
    }
  }

  async function* pages(
    place: { at: Place },
    { pageEvents, through, signal }: TailReading,
  ): AsyncGenerator<readonly LoggedChanges[], boolean, undefined> {
    const cursor = window.seek(place.at);
    if (cursor === undefined) return false;
    while (!signal.aborted) {
      news.clear();
      const taken = window.take(cursor, pageEvents, through());
      if (taken === undefined) return false;
      // A reader may stand before what comes in first: beyond it, when the log was opened for a slower one.
      const page = following(taken, place.at.tick, place.at.n);
      const last = page.at(-1);
      if (last !== undefined) {
        place.at = { tick: last.tick, n: last.ordinal };
        yield page;
      } else if (taken.length > 0) continue;
      else if (place.at.tick > through() || stream.isComplete(through())) return true;
      else if (failure !== undefined) throw failure.error;
      else await reading(() => news.wait(lookAgainMs, signal));
    }
    return true;
  }

  return {
    after,
    window,
    stream,
    failure: () => failure?.error,
    pages,
    look: () =>
      reading(async (wasHeld) => {
        // The socket is read in the turn that begins after this one.
        for (let turns = 0; wasHeld && turns < 2; turns++) await nextTurn();
      }),
    async changed(timeoutMs, signal) {
      news.clear();
      if (failure === undefined) await reading(() => news.wait(timeoutMs, signal));
    },
    close() {
      stream.close();
      // Whoever still reads must not take the silence for the end of the log.
      fail(new LockstepError("SOURCE_UNAVAILABLE", "the log is no longer read here"));
    },
  };
}
