import { setTimeout as sleep } from "node:timers/promises";
import {
  comparePositions,
  type Feed,
  type Position,
  positionOf,
  startPosition,
  type StreamEntry,
  type StreamWriter,
  type TableSchema,
  type TargetConfirmation,
} from "@lockstep/core";
import type { Change } from "./changes.js";

/** How a transaction is published. */
export interface Publishing {
  /** Events per entry; a larger transaction is cut into parts. Default 1000. */
  readonly entryEvents?: number;
  readonly at?: number;
  readonly traceparent?: string;
}

/**
 * A log in memory and a relay on the real stream: one tick per transaction, registration, catch-up feeds, and the whole log again when Redis
 * has been emptied. It keeps everything, as an outbox does whose targets are behind.
 */
export class TestRelay implements AsyncDisposable {
  readonly log: StreamEntry[] = [];
  /** What the relay answers to targets. */
  state: TargetConfirmation["state"] = "following";
  incarnation = "source-1";
  /** What it says how many there are; it feeds the first. */
  partitions = 1;
  /** Catch-up feeds go no further while it is set. */
  feedsThrough: Position | undefined;
  /** False while the relay is away. */
  present = true;
  #tick = 0;
  #total = 0;
  #fed = new Map<string, Position>();
  #main: Position | undefined;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    private readonly writer: StreamWriter,
    private readonly source: string,
    private readonly schemas: TableSchema[],
  ) {
    this.#running = this.#run();
  }

  get last(): Position {
    return this.log.at(-1)?.id ?? startPosition;
  }

  get total(): number {
    return this.#total;
  }

  /** A schema that a table has by now. */
  learn(schema: TableSchema): TableSchema {
    this.schemas.push(schema);
    return schema;
  }

  /** Commits one transaction. */
  commit(changes: readonly Change[], publishing: Publishing = {}): Position {
    const { entryEvents = 1000, at = Date.now(), traceparent } = publishing;
    const tick = ++this.#tick;
    for (let from = 0; from < changes.length; from += entryEvents) {
      const part = changes.slice(from, from + entryEvents);
      const ends = from + part.length === changes.length;
      this.#total += part.length;
      const header = { id: String(tick), at, events: part.length };
      this.log.push({
        id: positionOf(tick, from + part.length),
        previous: this.last,
        incarnation: this.incarnation,
        total: this.#total,
        endsTick: ends,
        continues: !ends,
        transactions: [traceparent === undefined ? header : { ...header, traceparent }],
        events: part.map((change, i) => ({ ordinal: from + i + 1, ...change })),
      });
    }
    return this.last;
  }

  /** Takes entries up to here out of the main stream, whoever still needs them. */
  async trim(through: Position): Promise<void> {
    await this.writer.trim({ partition: 0 }, through);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.present) await this.#turn().catch(() => undefined);
      await sleep(5, undefined, { signal }).catch(() => undefined);
    }
  }

  async #turn(): Promise<void> {
    await this.writer.publishSchemas(this.schemas);
    await this.#feedMain();
    for (const target of await this.writer.announcements()) {
      const { incarnation, partitions, state } = this;
      await this.writer.confirm(target, { start: startPosition, incarnation, partitions, state });
    }
    if (this.state === "following") await this.#feedCatchUps();
    await this.#report();
  }

  async #feedMain(): Promise<void> {
    const feed = { partition: 0 };
    const head = await this.writer.head(feed);
    if (head === undefined || this.#main === undefined) {
      await this.#begin(feed, startPosition);
      this.#main = startPosition;
      this.#fed.clear();
    }
    this.#main = await this.#append(feed, this.#main);
  }

  async #feedCatchUps(): Promise<void> {
    const asked = await this.writer.catchUps(0);
    for (const target of this.#fed.keys()) {
      if (asked.has(target)) continue;
      this.#fed.delete(target);
      await this.writer.remove({ partition: 0, target });
    }
    for (const [target, after] of asked) {
      const feed = { partition: 0, target };
      if (!this.#fed.has(target)) {
        await this.#begin(feed, after);
        this.#fed.set(target, after);
      }
      this.#fed.set(target, await this.#append(feed, this.#fed.get(target)!, this.feedsThrough));
    }
  }

  async #begin(feed: Feed, at: Position): Promise<void> {
    await this.writer.begin(feed, {
      epoch: this.#epochOf(feed),
      incarnation: this.incarnation,
      at,
    });
  }

  #epochOf({ target = "main" }: Feed): string {
    return `${target}`;
  }

  async #append(feed: Feed, after: Position, through = this.last): Promise<Position> {
    const isNext = ({ id }: StreamEntry): boolean =>
      comparePositions(id, after) > 0 && comparePositions(id, through) <= 0;
    const entries = this.log.filter(isNext).slice(0, 200);
    if (entries.length > 0) await this.writer.append(feed, this.#epochOf(feed), entries);
    return entries.at(-1)?.id ?? after;
  }

  async #report(): Promise<void> {
    await this.writer.report({
      source: this.source,
      relay: "test",
      incarnation: this.incarnation,
      partitions: 1,
      leader: true,
      at: Date.now(),
      published: this.#main ?? startPosition,
      total: this.log.findLast(({ id }) => id === this.#main)?.total ?? 0,
      backlogEvents: 0,
      backlogOldestMs: 0,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.writer.close();
  }
}
