const windowMs = 5_000;

/** Rows a second over the last five seconds. */
export class Rate {
  #samples: { readonly at: number; readonly rows: number }[] = [];
  #since: number;

  constructor(private readonly elapsed: () => number) {
    this.#since = elapsed();
  }

  add(rows: number): void {
    const at = this.elapsed();
    const last = this.#samples.at(-1);
    // One sample per tenth of a second: many small batches must not make a long list.
    if (last !== undefined && at - last.at < 100)
      this.#samples[this.#samples.length - 1] = { at: last.at, rows: last.rows + rows };
    else this.#samples.push({ at, rows });
  }

  perSecond(): number {
    const now = this.elapsed();
    const from = now - windowMs;
    this.#samples = this.#samples.filter(({ at }) => at > from);
    const rows = this.#samples.reduce((sum, sample) => sum + sample.rows, 0);
    const span = Math.max(1_000, Math.min(windowMs, now - this.#since));
    return Math.round((rows * 1000) / span);
  }
}
