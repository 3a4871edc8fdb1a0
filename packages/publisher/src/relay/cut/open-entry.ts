import {
  countOf,
  positionOf,
  splitPosition,
  type Changes,
  type LoggedChanges,
  type Position,
  type StreamEntry,
  type TransactionHeader,
} from "@lockstep/core";

/** What an entry needs beside its events. */
export interface EntryEnd {
  readonly id: Position;
  readonly incarnation: string;
  readonly total: number;
  readonly endsTick: boolean;
  readonly continues: boolean;
}

/** What ends where a transaction ended. */
interface Mark {
  readonly tick: bigint;
  readonly events: number;
  /** Of the list that holds them: some are packed. */
  readonly index: number;
  readonly transactions: number;
  readonly bytes: number;
  readonly ordinal: number;
  readonly total: number;
}

type Header = { -readonly [P in keyof TransactionHeader]: TransactionHeader[P] };

/** A finished entry and the size of its rows. */
export interface FinishedEntry {
  readonly entry: StreamEntry<Changes>;
  readonly bytes: number;
}

/** The entry of one partition that is being filled. */
export class OpenEntry {
  previous: Position;
  /** Tick of `previous`: asked at the end of every tick, so not read out of the text each time. */
  previousTick: bigint;
  bytes = 0;
  /** How many events it has. */
  length = 0;
  private events: Changes[] = [];
  private transactions: Header[] = [];
  /** The tick of each. */
  private ticks: bigint[] = [];
  /** Number of the transaction that the last event belongs to, among those the cutter saw. */
  private transaction = -1;
  private last = { tick: 0n, ordinal: 0, total: 0 };
  private whole: Mark | undefined;

  constructor(previous: Position) {
    this.previous = previous;
    this.previousTick = splitPosition(previous).tick;
  }

  /** True when the last event is of this transaction. */
  isIn(transaction: number): boolean {
    return this.length > 0 && this.transaction === transaction;
  }

  /** True when whole transactions lie before the one that is under way. */
  get hasWhole(): boolean {
    return this.whole !== undefined;
  }

  add(changes: Changes, logged: LoggedChanges, transaction: number, bytes: number): void {
    const count = countOf(changes);
    if (this.goesOn(logged, transaction)) this.goOn(logged, count);
    else this.openTransaction(logged, transaction, count);
    this.events.push(changes);
    this.length += count;
    this.bytes += bytes;
    this.last = { tick: logged.tick, ordinal: changes.ordinal, total: logged.total };
  }

  /** Whether an event stands under the header of the one before it. */
  private goesOn({ transaction: { audience } }: LoggedChanges, transaction: number): boolean {
    const header = this.transactions.at(-1);
    if (header === undefined || this.transaction !== transaction) return false;
    return header.audience === audience || header.audience?.join() === audience?.join();
  }

  private goOn({ transaction }: LoggedChanges, count: number): void {
    const open = this.transactions.at(-1)!;
    open.events += count;
    // A log may tell it behind the rows only.
    if (open.traceparent === undefined && transaction.traceparent !== undefined)
      open.traceparent = transaction.traceparent;
  }

  private openTransaction(logged: LoggedChanges, transaction: number, count: number): void {
    if (this.length > 0 && this.transaction !== transaction) {
      const { events, length, transactions, bytes, last } = this;
      this.whole = {
        events: length,
        index: events.length,
        transactions: transactions.length,
        bytes,
        ...last,
      };
    }
    this.transaction = transaction;
    this.transactions.push(headerOf(logged.transaction, count));
    this.ticks.push(logged.tick);
  }

  /** Takes out the whole transactions before the one that is under way, which stays. */
  takeWhole(incarnation: string, endsTick: boolean): FinishedEntry {
    const mark = this.whole!;
    const ticks = this.ticks.splice(mark.transactions);
    const events = this.events.splice(mark.index);
    const length = this.length - mark.events;
    const transactions = this.transactions.splice(mark.transactions);
    const bytes = this.bytes - mark.bytes;
    this.bytes = mark.bytes;
    const id = positionOf(mark.tick, mark.ordinal);
    const finished = this.take({ id, incarnation, total: mark.total, endsTick, continues: false });
    this.events = events;
    this.length = length;
    this.transactions = transactions;
    this.ticks = ticks;
    this.bytes = bytes;
    return finished;
  }

  /** Takes out everything: a part of a transaction that goes on, or whole ones. */
  takeAll(incarnation: string, continues: boolean, endsTick: boolean): FinishedEntry {
    const { tick, ordinal, total } = this.last;
    return this.take({ id: positionOf(tick, ordinal), incarnation, total, endsTick, continues });
  }

  /** The transactions; those of another tick than the entry's id say so. */
  private named(tick: bigint): readonly TransactionHeader[] {
    const { transactions, ticks } = this;
    if (ticks.length === 0 || ticks[0] === tick) return transactions;
    for (const [i, header] of transactions.entries()) if (ticks[i] !== tick) header.tick = String(ticks[i]);
    return transactions;
  }

  /** Takes out everything under a given end; an entry without events is a marker. */
  take(end: EntryEnd): FinishedEntry {
    const { events, bytes, previous } = this;
    const { tick } = splitPosition(end.id);
    const transactions = this.named(tick);
    this.events = [];
    this.length = 0;
    this.transactions = [];
    this.ticks = [];
    this.bytes = 0;
    this.whole = undefined;
    this.previous = end.id;
    this.previousTick = tick;
    const { id, incarnation, total, endsTick, continues } = end;
    const entry = { id, previous, incarnation, total, endsTick, continues, transactions, events };
    return { entry, bytes };
  }
}

/** A literal and no copy: V8 gives each object that is made by `{ ...transaction, events }` a hidden class of its own. */
function headerOf(
  { id, at, traceparent, origin, audience }: LoggedChanges["transaction"],
  events: number,
): Header {
  const header: Header = { id, at, events };
  if (traceparent !== undefined) header.traceparent = traceparent;
  if (origin !== undefined) header.origin = origin;
  if (audience !== undefined) header.audience = audience;
  return header;
}
