import { comparePositions, isLockstepError, type Position } from "@lockstep/core";

/** What the flow needs to know. */
export interface FlowOptions {
  /** Where everything lies that was committed before the call. */
  readonly barrier: () => Promise<Position>;
  /** How far the slowest lane of the slowest target is; `undefined` while one has no checkpoint. */
  readonly reached: () => Promise<Position | undefined>;
  /** Rows that may be on their way to the targets. */
  readonly maxAheadRows: number;
  readonly sleep: (ms: number) => Promise<void>;
}

const lookMs = 50;

/**
 * Live changes come first: copied rows queue behind them, and no more rows are copied than so many that the targets have not
 * passed yet. However far a target lags, the rows on their way are all that a full sync adds to it.
 */
export class Flow {
  readonly #options: FlowOptions;
  #sent = 0;
  #passed = 0;
  /** Rows before the newest mark; `undefined` before the first: a process before this one may have sent all there is. */
  #marked: number | undefined;
  #marks: { readonly rows: number; readonly position: Position }[] = [];
  #marking: Promise<void> | undefined;
  /** Why nothing is copied at the moment. */
  trouble: string | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
  }

  /** Rows were committed to the outbox. */
  sent(rows: number): void {
    this.#sent += rows;
    const due = this.#sent - (this.#marked ?? 0) >= this.#options.maxAheadRows / 8;
    if (!due || this.#marking !== undefined) return;
    this.#marking = this.#mark().finally(() => (this.#marking = undefined));
    // Whoever waits for it next is told.
    this.#marking.catch(() => undefined);
  }

  /** Whether there is room for more rows. */
  async hasRoom(): Promise<boolean> {
    const { maxAheadRows, sleep } = this.#options;
    if (this.#sent - this.#passed < maxAheadRows) return true;
    await this.#marking;
    if (this.#marks.length === 0) await this.#mark();
    await this.#look();
    const has = this.#sent - this.#passed < maxAheadRows;
    if (!has) await sleep(lookMs);
    return has;
  }

  /** Whether the targets have passed everything that was committed before the first call. */
  async hasSettled(): Promise<boolean> {
    await this.#marking;
    if (this.#marked !== this.#sent || this.#marks.length === 0) await this.#mark();
    await this.#look();
    const has = this.#marks.length === 0 && this.#marked === this.#sent;
    if (!has) await this.#options.sleep(lookMs);
    return has;
  }

  async #mark(): Promise<void> {
    const rows = this.#sent;
    try {
      const position = await this.#options.barrier();
      this.#marks.push({ rows, position });
      this.#marked = rows;
      this.trouble = undefined;
    } catch (error) {
      // No relay, or no source: whoever comes next asks again.
      if (!isLockstepError(error) || error.recovery !== "retry") throw error;
      this.trouble = error.code;
    }
  }

  async #look(): Promise<void> {
    const reached = await this.#options.reached();
    if (reached === undefined) return;
    while (this.#marks[0] !== undefined && comparePositions(this.#marks[0].position, reached) <= 0) {
      this.#passed = this.#marks.shift()!.rows;
    }
  }
}
