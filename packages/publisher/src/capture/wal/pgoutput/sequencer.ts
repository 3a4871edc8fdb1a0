import {
  type LoggedChanges,
  type LoggedEvent,
  type LoggedPack,
  type Position,
  positionOf,
} from "@lockstep/core";
import { endKey } from "@lockstep/outbox/postgres";
import type { CapturedRelation } from "../relation/relation.js";
import { type Cells, CellWriter } from "./cell-writer.js";
import type { Change } from "./change.js";

type Writable<T> = { -readonly [P in keyof T]: T[P] };
/** Changes whose place at the end of their transaction isn't known until the next message. */
type OpenChanges = Writable<LoggedEvent> | Writable<LoggedPack>;

/** About as much as a row of the outbox packs, and a few of its largest. */
const maxPack = { changes: 100, bytes: 16 * 1024 } as const;
/** The letters of the ops that are packed. */
const packLetters = { insert: 0x69, update: 0x75, delete: 0x64 } as const;

/** An op that concerns one row. */
export type RowOp = keyof typeof packLetters;

/** What is done with the log's changes. */
export interface SequencerListener {
  /** Changes that are complete. */
  changes(changes: LoggedChanges): void;
  /** The first event of a transaction was met; `total`: events before it. */
  began(tick: bigint, total: number, at: number): void;
}

/** Gives every change its place in the log, and puts several of a table together. */
export class Sequencer {
  /** Of the pack that is open. */
  readonly #lines = new CellWriter();
  #transaction: Writable<LoggedEvent["transaction"]> = { id: "", at: 0 };
  #tick = 0n;
  #ordinal = 0;
  #open: OpenChanges | undefined;
  #pack: Writable<LoggedPack> | undefined;
  /** Tick of the newest transaction of which an event was met. */
  newest = 0n;
  isInTransaction = false;
  /** Where the log ends for its readers; `undefined` until its mark is met. */
  end: Position | undefined;

  constructor(
    private readonly listener: SequencerListener,
    /** Events of the source up to the last one that was met. */
    public total: number,
  ) {}

  /** Tick of a transaction of which events were met and more may follow. */
  get openTick(): bigint | undefined {
    return this.isInTransaction && this.#ordinal > 0 ? this.#tick : undefined;
  }

  /** What is said of the transaction that is read: of an event that went ahead of it, too, unless its audience has changed since. */
  get transaction(): Writable<LoggedEvent["transaction"]> {
    return this.#transaction;
  }

  begin(tick: bigint, transaction: LoggedEvent["transaction"]): void {
    this.#tick = tick;
    this.#transaction = transaction;
    this.#ordinal = 0;
    this.isInTransaction = true;
  }

  commit(): void {
    this.isInTransaction = false;
    if (this.#open === undefined) return;
    this.#open.endsTransaction = true;
    this.#open.endsTick = true;
    this.#close();
  }

  /** Takes a change by itself. */
  alone({ op, schema, key, table, image, before, version }: Change, audience?: string): void {
    // What comes behind the mark is another log's to give (PROTOCOL.md 27).
    if (this.end !== undefined) return;
    this.#next(audience);
    // Here and for a pack a literal each: `{ ...place, op }` of a place that both had would be an object of a hidden class of its own every time.
    const event: Writable<LoggedEvent> = {
      ordinal: this.#ordinal,
      op,
      schema,
      key,
      tick: this.#tick,
      table,
      transaction: this.#transaction,
      endsTransaction: false,
      endsTick: false,
      total: this.total,
    };
    if (image !== undefined) event.image = image;
    if (before !== undefined) event.before = before;
    if (version !== undefined) event.version = version;
    this.#open = event;
    if (op === "barrier" && key === endKey) this.end = positionOf(event.tick, event.ordinal);
  }

  /** Takes a change like most, behind others of its table. */
  packed(op: RowOp, { schema, table }: CapturedRelation, cells: Cells): void {
    if (this.end !== undefined) return;
    const { count = maxPack.changes, schema: last } = this.#pack ?? {};
    if (last !== schema || count >= maxPack.changes || this.#lines.length >= maxPack.bytes) {
      this.#next(undefined);
      this.#open = this.#pack = {
        ordinal: this.#ordinal,
        count: 0,
        schema,
        lines: "",
        tick: this.#tick,
        table,
        transaction: this.#transaction,
        endsTransaction: false,
        endsTick: false,
        total: this.total,
      };
    } else {
      this.#ordinal++;
      this.total++;
    }
    this.#lines.line(packLetters[op], cells, op !== "delete");
    const pack = this.#pack!;
    pack.count++;
    pack.ordinal = this.#ordinal;
    pack.total = this.total;
  }

  /** Goes on to the next place in the log: that of changes of which it isn't known yet whether they end their transaction. */
  #next(audience: string | undefined): void {
    this.#close();
    this.#addressTo(audience);
    if (++this.#ordinal === 1) {
      this.newest = this.#tick;
      this.listener.began(this.#tick, this.total, this.#transaction.at);
    }
    this.total++;
  }

  /** Events share their transaction's header: those that are not for all targets, or again for all, get one of their own. */
  #addressTo(audience: string | undefined): void {
    if (this.#transaction.audience?.join(" ") === audience) return;
    const { audience: _, ...header } = this.#transaction;
    this.#transaction = audience === undefined ? header : { ...header, audience: audience.split(" ") };
  }

  /** Gives away what waited for what follows it. */
  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    if (open === this.#pack) {
      this.#pack.lines = this.#lines.take();
      this.#pack = undefined;
    }
    this.listener.changes(open);
  }
}
