/** One look for changes: when it began and when all that it found was published, ms; and how much that was. */
export interface Look {
  readonly began: number;
  readonly ended: number;
  readonly transactions: number;
}

/** Busy from this many transactions per ms on. */
const busyRate = 0.5;

/**
 * The pace of a relay: every look costs the source something, and Redis too, whatever it finds, and a busy source has better use for that. While
 * transactions come faster than one in two ms, a look is taken every `restMs` only. How fast they come is counted over that time too.
 */
export class Pace {
  #since = -Infinity;
  #transactions = 0;
  #isBusy = false;

  constructor(private readonly restMs: number) {}

  /** How long to rest after a look, ms. */
  restAfter({ began, ended, transactions }: Look): number {
    this.#transactions += transactions;
    const counted = ended - this.#since;
    if (counted >= this.restMs) {
      this.#isBusy = this.#transactions > busyRate * counted;
      this.#since = ended;
      this.#transactions = 0;
    }
    return this.#isBusy ? Math.max(0, this.restMs - (ended - began)) : 0;
  }
}
