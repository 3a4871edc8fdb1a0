import { type LetterDesk, liveLetterStates, type Sealer } from "@lockstep/core";
import { type RowId, rowId } from "../batch/planned-changes.js";
import type { Ledger } from "./ledger.js";
import { openLetter } from "./open-letter.js";

const pageSize = 500;
const maxKnown = 100_000;

/**
 * Which rows have a live letter, so that a batch asks the target only for those of its keys that do (PROTOCOL.md 14). The lane makes
 * all letters, so it knows them; a person can only end one, and a row that is named here in vain costs a look.
 */
export class LiveLetters {
  readonly #rows: Set<RowId>;
  /** Too many to remember: any row may have one. */
  #any: boolean;

  private constructor(
    rows: Set<RowId>,
    any: boolean,
    /** Fingerprints of the schemas that the letters follow. */
    readonly schemas: ReadonlySet<string>,
  ) {
    this.#rows = rows;
    this.#any = any;
  }

  /** Reads them from the target, in pages. Call it only while the lane is owned: nobody else makes letters then. */
  static async load(
    desk: LetterDesk,
    lane: { readonly source: string; readonly partition: number },
    sealer?: Sealer,
  ): Promise<LiveLetters> {
    const filter = { ...lane, states: liveLetterStates };
    const rows = new Set<RowId>();
    const schemas = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await desk.list(filter, { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
      for (const letter of page.letters) {
        rows.add(rowId(letter.table, openLetter(letter, sealer).key));
        schemas.add(letter.schema);
      }
      cursor = page.next;
    } while (cursor !== undefined && rows.size < maxKnown);
    return new LiveLetters(rows, cursor !== undefined, schemas);
  }

  get none(): boolean {
    return !this.#any && this.#rows.size === 0;
  }

  mayHave(row: RowId): boolean {
    return this.#any || this.#rows.has(row);
  }

  /** Takes over what a committed step did. */
  follow(ledger: Ledger): void {
    for (const row of ledger.resolved.keys()) this.#rows.delete(row);
    for (const row of ledger.put.keys()) this.#rows.add(row);
    // Too many to remember: from here on every row is looked up. A letter that is forgotten would write its old image over a newer row.
    if (this.#rows.size < 2 * maxKnown) return;
    this.#any = true;
    this.#rows.clear();
  }
}
