import type { RowNote } from "@lockstep/core";
import type { CapturedTable } from "./captured-tables.js";

/** The place of a write that is sent: `arrived` or `failed` is called when its result is here. */
export class Place {
  /** Order of sending: a connection runs statements in the order they were sent. */
  readonly at: number;
  readonly #settled: () => void;
  notes: readonly RowNote[] = [];
  /** Without a result so far. */
  pending = true;
  /** Why this write's rows aren't known although it may have happened. */
  failure?: { readonly reason: unknown };

  constructor(at: number, settled: () => void) {
    this.at = at;
    this.#settled = settled;
  }

  arrived(notes: readonly RowNote[]): void {
    this.notes = notes;
    this.pending = false;
    this.#settled();
  }

  /** Nothing was written, unless the error is {@link Unidentified}. */
  failed(error: unknown): void {
    if (error instanceof Unidentified) this.failure = { reason: error.cause };
    this.pending = false;
    this.#settled();
  }
}

/** Whether a table's rows have the keys that INSERTs give them: it isn't known, the server has been asked, and it has said so. */
export interface TrustInKeys {
  stage: "unasked" | "asked" | "kept";
}

/** A place as it is kept; what is put back is one too. */
type Slot = Pick<Place, "at" | "notes" | "pending" | "failure">;

/**
 * What one open transaction of one connection has touched, with its savepoints.
 *
 * **Maintained invariant**: a row that the transaction may have changed has a note here, or the journal refuses to be taken. Noting
 * too much is harmless (images are read at the flush, of whatever is there then); noting too little loses a change. So every
 * doubt keeps the note.
 */
export class Journal {
  #active = false;
  #clock = 0;
  #slots: Slot[] = [];
  #savepoints: { readonly name: string; readonly at: number }[] = [];
  #givenKeys = new Map<CapturedTable, TrustInKeys>();
  /** Who waits for the next result. */
  readonly #waiting: (() => void)[] = [];
  readonly #settled = (): void => {
    if (this.#waiting.length === 0) return;
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** True while the server has a transaction open, as far as the statements say. */
  get active(): boolean {
    return this.#active;
  }

  get empty(): boolean {
    return this.#slots.length === 0;
  }

  /** Of the tables that the transaction has inserted rows into. */
  get givenKeys(): Map<CapturedTable, TrustInKeys> {
    return this.#givenKeys;
  }

  /** A lock on a table may go, or the transaction itself may change how rows are inserted: what the server has said no longer holds. */
  distrustKeys(): void {
    if (this.#givenKeys.size > 0) this.#givenKeys = new Map();
  }

  begin(): void {
    this.end();
    this.#active = true;
  }

  end(): void {
    this.#active = false;
    this.#slots = [];
    this.#savepoints = [];
    this.distrustKeys();
  }

  /** The place in the order of sending that the next statement takes. */
  mark(): number {
    return ++this.#clock;
  }

  /** The server has rolled back, with the statement at `mark`. What was sent after it ran outside of any transaction, or may have: it stays. */
  rolledBackAt(mark: number): void {
    this.#slots = this.#slots.filter(({ at, pending }) => at > mark || pending);
    this.#savepoints = [];
  }

  /** Remembers what is noted; calling what it gives puts that back, where it has been taken meanwhile. */
  keep(): () => void {
    const kept = [...this.#slots];
    return () => {
      const still = new Set(this.#slots);
      this.#slots.unshift(...kept.filter((slot) => !still.has(slot)));
    };
  }

  /** Reserves a write's place, in the order of sending. */
  reserve(): Place {
    const place = new Place(++this.#clock, this.#settled);
    this.#slots.push(place);
    return place;
  }

  /** MySQL forgets an older savepoint of the same name; PostgreSQL shadows it. Keeping the older mark is right for both. */
  savepoint(name: string): void {
    this.#savepoints.push({ name, at: ++this.#clock });
  }

  release(name: string): void {
    const index = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (index >= 0) this.#savepoints.length = index;
  }

  /**
   * The effect of ROLLBACK TO, to be called when the server has done it: what was sent between the savepoint and now goes. An
   * unknown name keeps everything.
   */
  rollbackTo(name: string): () => void {
    const mark = this.#savepoints.findLast((savepoint) => savepoint.name === name);
    if (mark === undefined) return () => undefined;
    const until = ++this.#clock;
    const stays = ({ at }: { at: number }) => at <= mark.at || at > until;
    return () => {
      this.#slots = this.#slots.filter(stays);
      this.#savepoints = this.#savepoints.filter(stays);
    };
  }

  /**
   * Waits until every write that was sent has its result, then takes all notes, in order. Empty when there is nothing left.
   * @throws the reason, when a write may have happened whose rows aren't known; it stays, so that every later try throws too.
   */
  async take(): Promise<readonly RowNote[]> {
    while (this.#slots.some((slot) => slot.pending))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const notes: RowNote[] = [];
    for (const slot of this.#slots) {
      if (slot.failure) throw slot.failure.reason;
      for (const note of slot.notes) notes.push(note);
    }
    this.#slots = [];
    return notes;
  }

  /** Gives back what {@link take} gave: it stands before everything that was sent meanwhile. */
  putBack(notes: readonly RowNote[]): void {
    this.#slots.unshift({ at: 0, notes, pending: false });
  }

  /** Makes every later {@link take} throw: what was taken did not reach the outbox. Before every savepoint: rolling back to one brings no note back. */
  poison(reason: unknown): void {
    this.#slots.push({ at: 0, notes: [], pending: false, failure: { reason } });
  }
}

/** A write happened (or may have), and its rows aren't known. `cause` says why. */
export class Unidentified extends Error {
  constructor(cause: unknown) {
    super("a write's rows are not known", { cause });
  }
}
