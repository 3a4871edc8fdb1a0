import type { Digest, RowState } from "../digest/table-side.js";

/** Adds up the hashes of rows that are read in this process, as the databases do, and tells of rows that have none. */
export class RowSum {
  #rows = 0;
  #sum = 0n;
  #failed = 0;

  add({ hash, failed }: RowState): void {
    if (failed !== undefined) this.#failed++;
    else {
      this.#rows++;
      this.#sum += BigInt(hash);
    }
  }

  get digest(): Digest {
    // Never the target's: whatever that has, these rows are to be looked at.
    const unknown = this.#failed === 0 ? "" : ` and ${this.#failed} unknown`;
    return { rows: this.#rows, sum: `${this.#sum}${unknown}` };
  }
}

/** The same, by bucket. */
export class BucketSums {
  readonly #sums = new Map<number, RowSum>();

  add(bucket: number, state: RowState): void {
    let sum = this.#sums.get(bucket);
    if (sum === undefined) this.#sums.set(bucket, (sum = new RowSum()));
    sum.add(state);
  }

  get digests(): ReadonlyMap<number, Digest> {
    return new Map([...this.#sums].map(([bucket, { digest }]) => [bucket, digest]));
  }
}
