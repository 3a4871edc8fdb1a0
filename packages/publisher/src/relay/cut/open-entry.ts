import {
  positionOf,
  splitPosition,
  type ChangeEvent,
  type LoggedEvent,
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

/** Events, transactions and bytes that end where a transaction ended. */
interface Mark {
  readonly tick: bigint;
  readonly events: number;
  readonly transactions: number;
  readonly bytes: number;
  readonly ordinal: number;
  readonly total: number;
}

/** A finished entry and the size of its rows. */
export interface FinishedEntry {
  readonly entry: StreamEntry;
  readonly bytes: number;
}

/** The entry of one partition that is being filled. */
export class OpenEntry {
  previous: Position;
  /** Tick of `previous`: asked at the end of every tick, so not read out of the text each time. */
  previousTick: bigint;
  bytes = 0;
  private events: ChangeEvent[] = [];
  private transactions: (Omit<TransactionHeader, "traceparent"> & {
    events: number;
    traceparent?: string;
  })[] = [];
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

  get length(): number {
    return this.events.length;
  }

  /** True when the last event is of this transaction. */
  isIn(transaction: number): boolean {
    return this.events.length > 0 && this.transaction === transaction;
  }

  /** True when whole transactions lie before the one that is under way. */
  get hasWhole(): boolean {
    return this.whole !== undefined;
  }

  add(event: ChangeEvent, logged: LoggedEvent, transaction: number, bytes: number): void {
    if (this.goesOn(logged, transaction)) this.goOn(logged);
    else this.openTransaction(logged, transaction);
    this.events.push(event);
    this.bytes += bytes;
    this.last = { tick: logged.tick, ordinal: event.ordinal, total: logged.total };
  }

  /** Whether an event stands under the header of the one before it. */
  private goesOn({ transaction: { audience } }: LoggedEvent, transaction: number): boolean {
    const header = this.transactions.at(-1);
    if (header === undefined || this.transaction !== transaction) return false;
    return header.audience === audience || header.audience?.join() === audience?.join();
  }

  private goOn({ transaction }: LoggedEvent): void {
    const open = this.transactions.at(-1)!;
    open.events++;
    // A log may tell it behind the rows only.
    if (open.traceparent === undefined && transaction.traceparent !== undefined)
      open.traceparent = transaction.traceparent;
  }

  private openTransaction(logged: LoggedEvent, transaction: number): void {
    if (this.events.length > 0 && this.transaction !== transaction) {
      const { events, transactions, bytes, last } = this;
      this.whole = { events: events.length, transactions: transactions.length, bytes, ...last };
    }
    this.transaction = transaction;
    this.transactions.push({ ...logged.transaction, events: 1 });
    this.ticks.push(logged.tick);
  }

  /** Takes out the whole transactions before the one that is under way, which stays. */
  takeWhole(incarnation: string, endsTick: boolean): FinishedEntry {
    const mark = this.whole!;
    const ticks = this.ticks.splice(mark.transactions);
    const events = this.events.splice(mark.events);
    const transactions = this.transactions.splice(mark.transactions);
    const bytes = this.bytes - mark.bytes;
    this.bytes = mark.bytes;
    const id = positionOf(mark.tick, mark.ordinal);
    const finished = this.take({ id, incarnation, total: mark.total, endsTick, continues: false });
    this.events = events;
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
  private named(tick: bigint): TransactionHeader[] {
    const { transactions, ticks } = this;
    if (ticks.length === 0 || ticks[0] === tick) return transactions;
    return transactions.map((t, i) => (ticks[i] === tick ? t : { ...t, tick: String(ticks[i]) }));
  }

  /** Takes out everything under a given end; an entry without events is a marker. */
  take(end: EntryEnd): FinishedEntry {
    const { events, bytes, previous } = this;
    const { tick } = splitPosition(end.id);
    const transactions = this.named(tick);
    this.events = [];
    this.transactions = [];
    this.ticks = [];
    this.bytes = 0;
    this.whole = undefined;
    this.previous = end.id;
    this.previousTick = tick;
    return { entry: { ...end, previous, transactions, events }, bytes };
  }
}
