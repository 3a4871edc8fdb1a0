import { LockstepError, tableId } from "@lockstep/core";
import type { RowId } from "../batch/planned-changes.js";
import { type Refused, rowIdOf, sourceOf } from "./refused.js";

/** When many refused rows stand for a fault of the target, not of rows (PROTOCOL.md 30). */
export interface RefusalLimits {
  /** Letters of one code and table a minute. Default 100. */
  readonly maxLettersPerCode: number;
  /** Share of a table's rows in one batch, when it has at least 20. Default 0.5. */
  readonly maxRefusedShare: number;
}

const windowMs = 60_000;
const shareFromRows = 20;

/** Counts refused rows by code and table over the last minute. */
export class RefusalWindow {
  #recent: { readonly at: number; readonly what: string; readonly count: number }[] = [];

  constructor(
    private readonly limits: RefusalLimits,
    private readonly elapsed: () => number,
  ) {}

  /** Begins to count a step's own refusals; nothing counts for later before {@link StepRefusals.keep}. */
  step(rowsOf: (table: string) => number): StepRefusals {
    return new StepRefusals(
      this.limits,
      rowsOf,
      (what) => this.#countOf(what),
      (counts) => this.#keep(counts),
    );
  }

  #countOf(what: string): number {
    const since = this.elapsed() - windowMs;
    this.#recent = this.#recent.filter(({ at }) => at > since);
    return this.#recent.reduce((sum, one) => (one.what === what ? sum + one.count : sum), 0);
  }

  #keep(counts: ReadonlyMap<string, number>): void {
    const at = this.elapsed();
    for (const [what, count] of counts) this.#recent.push({ at, what, count });
  }
}

/** The refusals of one step. */
export class StepRefusals {
  readonly #rows = new Map<string, Set<RowId>>();

  constructor(
    private readonly limits: RefusalLimits,
    private readonly rowsOf: (table: string) => number,
    private readonly before: (what: string) => number,
    private readonly onKeep: (counts: ReadonlyMap<string, number>) => void,
  ) {}

  /**
   * Counts a refused row, once.
   * @throws LockstepError TARGET_MANY_REFUSED when these are too many to be bad rows.
   */
  count(refused: Refused): void {
    const { code, about } = refused.fault;
    const table = tableId(sourceOf(refused).row.schema);
    const what = `${code} ${table}`;
    const rows = this.#rows.get(what) ?? new Set<RowId>();
    this.#rows.set(what, rows.add(rowIdOf(refused)));
    const inBatch = this.rowsOf(table);
    const large = inBatch >= shareFromRows && rows.size > inBatch * this.limits.maxRefusedShare;
    if (!large && this.before(what) + rows.size <= this.limits.maxLettersPerCode) return;
    const named = code === "TRANSFORM_FAILED" ? `${code} in ${about}` : code;
    throw new LockstepError("TARGET_MANY_REFUSED", `${refused.table.name} refuses many rows with ${named}`, {
      details: { table, code, about, count: rows.size },
    });
  }

  /** The step has committed. */
  keep(): void {
    this.onKeep(new Map([...this.#rows].map(([what, rows]) => [what, rows.size])));
  }
}
