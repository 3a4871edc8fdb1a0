import type { LoggedEvent, Op, TableSchema } from "@lockstep/core";
import { PendingVersions } from "../../pending-versions.js";

/** What a transaction changed, as the log tells it. */
export interface Draft {
  readonly op: Op;
  readonly table: Pick<TableSchema, "namespace" | "name">;
  readonly fingerprint: string;
  readonly key: string;
  readonly image?: string | undefined;
  readonly before?: string | undefined;
  readonly version?: string | undefined;
  /** Ids of the only targets that it is for. */
  readonly audience?: readonly string[] | undefined;
  /** Bytes from the transaction's beginning to the row. */
  readonly ordinal: number;
}

type MutableEvent = { -readonly [P in keyof LoggedEvent]: LoggedEvent[P] };
type Header = { -readonly [P in keyof LoggedEvent["transaction"]]: LoggedEvent["transaction"][P] };

/**
 * A transaction that is being read. Its events are kept until it is sure that they stay: a savepoint may be rolled back, and a log that
 * ends with a crash may end inside a transaction.
 */
export class OpenTransaction {
  readonly header: Header;
  bytes = 0;
  /** True when it is known how it ends, so that its beginning may go ahead. */
  isSettled = false;
  isStandalone = false;
  /** A BEGIN was read: COMMIT ends it, not the next statement. MySQL has one, MariaDB doesn't. */
  hasBegun = false;
  isPrepared = false;
  /** It holds the mark behind which nothing of the log counts. */
  endsLog = false;
  /** Before where the reader was to begin: the file could only be read from its own beginning. */
  isPassed = false;
  /** Rows that savepoints took back, once it is known how the transaction ends. */
  isDropped: ((ordinal: number) => boolean) | undefined;
  private events: MutableEvent[] = [];
  private readonly versions = new PendingVersions();
  private savepoints: { readonly name: string; readonly length: number }[] = [];

  constructor(
    readonly tick: bigint,
    /** Where it begins in its file. */
    readonly offset: number,
    id: string,
    at: number,
  ) {
    this.header = { id, at };
  }

  get length(): number {
    return this.events.length;
  }

  add({ op, table, fingerprint, key, image, before, ordinal, audience, ...draft }: Draft): void {
    const version = draft.version ?? this.versions.take(table.name, key);
    const event: MutableEvent = {
      ordinal,
      op,
      schema: fingerprint,
      key,
      tick: this.tick,
      table,
      transaction: audience === undefined ? this.header : { ...this.header, audience },
      endsTransaction: false,
      endsTick: false,
      total: 0,
    };
    if (image !== undefined) event.image = image;
    if (before !== undefined) event.before = before;
    if (version !== undefined) event.version = version;
    this.events.push(event);
    this.bytes += key.length + (image?.length ?? 0) + (version?.length ?? 0) + 100;
  }

  /** A row's version: right behind the row where a trigger wrote it, before its rows where a lane did. */
  addVersion(table: string, key: string, version: string): void {
    const last = this.events.at(-1);
    const isOfLast = this.header.origin === undefined && last?.table.name === table && last.key === key;
    if (isOfLast) last.version = version;
    else this.versions.put(table, key, version);
  }

  savepoint(name: string): void {
    this.savepoints.push({ name, length: this.events.length });
  }

  rollbackTo(name: string): void {
    const index = this.savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index < 0) return;
    this.events.length = Math.min(this.events.length, this.savepoints[index]!.length);
    this.savepoints.length = index + 1;
  }

  /** Forgets what is known to be rolled back: rows between these places. */
  drop(isDropped: (ordinal: number) => boolean): void {
    this.events = this.events.filter((event) => !isDropped(event.ordinal));
    this.savepoints = [];
  }

  /** Takes events out, numbered on from `total`; the last one stays as long as it isn't sure that it is the last. */
  take(total: number, isEnd: boolean): LoggedEvent[] {
    const rest = isEnd ? [] : this.events.splice(-1);
    const taken = this.events;
    taken.forEach((event, i) => (event.total = total + i + 1));
    const last = taken.at(-1);
    if (isEnd && last) {
      last.endsTransaction = true;
      last.endsTick = true;
    }
    this.events = rest;
    this.bytes = 0;
    return taken;
  }
}
