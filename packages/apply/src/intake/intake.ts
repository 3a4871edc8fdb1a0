import {
  backoffMs,
  type Feed,
  followOn,
  isLockstepError,
  LockstepError,
  type Logger,
  outageBackoff,
  type Position,
  type StreamEntry,
  type StreamReader,
  type TargetAnnouncement,
} from "@lockstep/core";
import type { BatchLimits } from "../batch/cut-batch.js";
import type { Sleep } from "../life/bell.js";
import { addressedTo } from "./addressed-to.js";
import { CatchUp } from "./catch-up.js";
import { entriesToRead, type LastRead } from "./entries-to-read.js";
import { EntryQueue, sizeOf } from "./entry-queue.js";
import { withoutEchoes } from "./without-echoes.js";

/** What an intake needs. */
export interface IntakeOptions {
  readonly reader: StreamReader;
  readonly target: TargetAnnouncement;
  /** Whether it is a node of two-way sync, like its source. */
  readonly isNode: boolean;
  /** Everything at or below is applied, or staged. */
  readonly from: Position;
  /** Identity of the source that the position belongs to. */
  readonly incarnation: string;
  readonly limits: BatchLimits;
  /** Called when entries came, and when the intake ended. */
  readonly wake: () => void;
  readonly elapsed: () => number;
  readonly random: () => number;
  readonly sleep: Sleep;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const blockMs = 1_000;
const catchUpBlockMs = 100;

/**
 * Reads ahead of the lane: one unbroken chain of entries, from the main feed or, behind a gap, from a catch-up feed. Holds at most
 * about two batches.
 */
export class Intake {
  readonly queue = new EntryQueue();
  /** Why it ended, when it can't go on. */
  failure: LockstepError | undefined;
  /** Why it waits, when it does. */
  trouble: LockstepError | undefined;
  readonly done: Promise<void>;
  readonly #options: IntakeOptions;
  #through: Position;
  #catchUp: CatchUp | undefined;
  #failures = 0;
  #roomMade: (() => void) | undefined;
  #lastRead: LastRead = { entries: 0, events: 0, bytes: 0 };

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#through = options.from;
    options.signal.addEventListener("abort", () => this.#roomMade?.(), { once: true });
    this.done = this.#run();
  }

  get catchingUp(): boolean {
    return this.#catchUp !== undefined;
  }

  /** True when a whole batch lies ready. */
  get full(): boolean {
    const { limits } = this.#options;
    return this.queue.events >= limits.maxBatchEvents || this.queue.bytes >= limits.maxBatchBytes;
  }

  /** Takes the first `count` entries. */
  take(count: number): StreamEntry[] {
    const entries = this.queue.take(count);
    this.#roomMade?.();
    return entries;
  }

  async #run(): Promise<void> {
    const { signal, wake, reader, target } = this.#options;
    // A wish that an earlier owner left behind would be served for ever. When there still is a gap, it is made again.
    await reader.requestCatchUp(target.partition, target.id, undefined).catch(() => undefined);
    while (!signal.aborted && this.failure === undefined) {
      try {
        await this.#room();
        await (this.#catchUp === undefined ? this.#readMain() : this.#readCatchUp(this.#catchUp));
        this.#failures = 0;
        this.trouble = undefined;
      } catch (error) {
        await this.#handle(error);
      }
    }
    wake();
  }

  async #readMain(): Promise<void> {
    this.#accept(await this.#read({ partition: this.#options.target.partition }, blockMs));
  }

  async #readCatchUp(catchUp: CatchUp): Promise<void> {
    await catchUp.ask(this.#through);
    const entries = await this.#read(catchUp.feed, catchUpBlockMs);
    if (entries.length > 0) catchUp.heard();
    this.#accept(entries);
    const rejoined = await catchUp.rejoin(this.#through);
    if (rejoined === undefined) return catchUp.refuseGone();
    this.#catchUp = undefined;
    this.#options.logger.info({ ...this.#fields() }, "lane follows the main stream again");
    this.#accept(rejoined);
  }

  async #read(feed: Feed, block: number): Promise<readonly StreamEntry[]> {
    const { reader, signal, limits } = this.#options;
    const maxEntries = entriesToRead(limits, this.#lastRead);
    const entries = await reader.read(feed, this.#through, { maxEntries, blockMs: block, signal });
    // As they came: what of them is for this target says nothing about the size of the next reply.
    const sum = (of: (entry: StreamEntry) => number) => entries.reduce((all, entry) => all + of(entry), 0);
    this.#lastRead = { entries: entries.length, events: sum((e) => e.events.length), bytes: sum(sizeOf) };
    return entries;
  }

  #accept(entries: readonly StreamEntry[]): void {
    const following = followOn(this.#through, entries);
    const last = following.at(-1);
    if (last === undefined) return;
    for (const { incarnation } of following) this.#refuseReplaced(incarnation);
    // Only now, when the chain is checked: it is the chain of all events.
    this.queue.push(following.map((entry) => this.#mine(entry)));
    this.#through = last.id;
    this.#options.wake();
  }

  #mine(entry: StreamEntry): StreamEntry {
    const { target, isNode } = this.#options;
    const mine = addressedTo(target.id, entry);
    return isNode ? withoutEchoes(target.name, mine) : mine;
  }

  // Positions of another source mean nothing here: applying them would mix two histories (PROTOCOL.md 11).
  #refuseReplaced(incarnation: string): void {
    if (incarnation === this.#options.incarnation) return;
    throw new LockstepError("SOURCE_REPLACED", "the stream comes from another source than the checkpoint", {
      details: this.#fields(),
    });
  }

  async #handle(error: unknown): Promise<void> {
    const { signal, logger, sleep, random, wake } = this.#options;
    if (signal.aborted) return;
    if (isLockstepError(error, "STREAM_GAP")) {
      if (this.#catchUp === undefined)
        logger.warn({ ...this.#fields() }, "lane fell behind the stream, asks to catch up");
      return this.#beginCatchUp();
    }
    const known = isLockstepError(error)
      ? error
      : new LockstepError("STREAM_UNAVAILABLE", "reading the stream failed", { cause: error });
    if (known.recovery !== "retry") {
      this.failure = known;
      return;
    }
    this.trouble = known;
    wake();
    await sleep(backoffMs(++this.#failures, outageBackoff, random), signal);
  }

  async #beginCatchUp(): Promise<void> {
    const { reader, target, elapsed, sleep, signal, wake } = this.#options;
    const anew = this.#catchUp !== undefined;
    this.#catchUp ??= new CatchUp({ reader, target, elapsed });
    wake();
    try {
      await this.#catchUp.ask(this.#through, true);
    } catch {
      // Redis is away: the next read asks again.
    }
    // A hole in the catch-up feed itself: give the relay time to begin it anew.
    if (anew) await sleep(1_000, signal);
  }

  async #room(): Promise<void> {
    const { limits, signal } = this.#options;
    const { queue } = this;
    while (!signal.aborted && (queue.events > limits.maxBatchEvents || queue.bytes > limits.maxBatchBytes)) {
      await new Promise<void>((resolve) => (this.#roomMade = resolve));
      this.#roomMade = undefined;
    }
  }

  #fields() {
    const { target } = this.#options;
    return { target: target.name, partition: target.partition, position: this.#through };
  }
}
