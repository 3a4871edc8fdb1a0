/** The last durations, at most `size`, and their quantiles. */
export class LatencyRing {
  readonly #values: number[] = [];
  #next = 0;

  constructor(private readonly size = 4096) {}

  add(ms: number): void {
    this.#values[this.#next] = ms;
    this.#next = (this.#next + 1) % this.size;
  }

  /** Median and 99th percentile; 0 when there is nothing. */
  quantiles(): { readonly p50: number; readonly p99: number } {
    const sorted = Float64Array.from(this.#values).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
