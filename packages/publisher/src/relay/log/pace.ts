/** One look for changes: when it began and when all that it found was published, ms; and how much that was. */
export interface Look {
  readonly began: number;
  readonly ended: number;
  readonly transactions: number;
  readonly rows: number;
}

/** Busy from this many transactions per ms on. */
const busyRate = 0.5;
/** So many rows count as another transaction: statements of many rows are few, and cost as much. */
const rowsPerTransaction = 10;
/** How long what came is remembered, ms. Shorter, a busy source that stops to write to its disk would seem idle, and pay for a look with every transaction. */
const memoryMs = 50;

/**
 * The pace of a relay: every look costs the source something, and Redis too, whatever it finds, and a busy source has better use for that. While
 * transactions come faster than one in two ms (or rows than five in one), a look is taken every `restMs` only. What came since the last look counts as if
 * it had come just now, so that who rests goes on for a while when they come more slowly: with the default, down to about one in three ms.
 */
export class Pace {
  /** Transactions that came of late: what lies further back counts less and less. */
  #load = 0;
  #ended = -Infinity;

  constructor(private readonly restMs: number) {}

  /** How long to rest after a look, ms. */
  restAfter({ began, ended, transactions, rows }: Look): number {
    const came = transactions + rows / rowsPerTransaction;
    this.#load = this.#load * Math.exp((this.#ended - ended) / memoryMs) + came;
    this.#ended = ended;
    return this.#load > busyRate * memoryMs ? Math.max(0, this.restMs - (ended - began)) : 0;
  }
}
