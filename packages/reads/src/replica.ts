import type { DataSource } from "typeorm";
import type { Freshness } from "./freshness/freshness.js";

/** Why a replica isn't read from. */
export type OutOfRotation = "unknown" | "lagging" | "down";

/** What is known of a replica, from looking at it now and then. */
export class Replica {
  readonly name: string;
  readonly dataSource: DataSource;
  readonly freshness: Freshness;
  /** Reads that went here. */
  reads = 0;
  /** When it is known to have held everything that was committed by then; on this process's own clock. */
  #freshAt: number | undefined;
  #isDown = false;
  #sample: { readonly at: number; readonly mark: string } | undefined;

  constructor(name: string, dataSource: DataSource, freshness: Freshness) {
    this.name = name;
    this.dataSource = dataSource;
    this.freshness = freshness;
  }

  /** Whether it may be read from; if not, why. */
  standing(maxLagMs: number): "in" | OutOfRotation {
    if (this.#isDown) return "down";
    if (this.#freshAt === undefined) return "unknown";
    return performance.now() - this.#freshAt <= maxLagMs ? "in" : "lagging";
  }

  /** How old what it shows may be, ms. */
  get lagMs(): number | undefined {
    return this.#freshAt === undefined ? undefined : Math.round(performance.now() - this.#freshAt);
  }

  /** A read failed as if it weren't there. The next look that succeeds brings it back. */
  isGone(): void {
    this.#isDown = true;
  }

  /** Looks how fresh it is: whether it holds the mark of an earlier look, and takes another one then. */
  async look(): Promise<void> {
    this.#sample ??= await this.#take();
    if (this.#sample === undefined) return;
    try {
      const has = await this.freshness.has(this.#sample.mark);
      this.#isDown = false;
      if (!has) return;
      this.#freshAt = Math.max(this.#freshAt ?? 0, this.#sample.at);
      this.#sample = undefined;
    } catch {
      this.#isDown = true;
    }
  }

  // Where the primary can't say, nothing is known of the replica: it grows old.
  async #take(): Promise<{ readonly at: number; readonly mark: string } | undefined> {
    const at = performance.now();
    const mark = await this.freshness.mark().catch(() => undefined);
    return mark === undefined ? undefined : { at, mark };
  }
}
