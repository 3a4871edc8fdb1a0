import { isLockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import type { Freshness } from "./freshness/freshness.js";

/** Why a replica isn't read from. `unknown`: it wasn't found fresh yet. */
export type OutOfRotation = "unknown" | "lagging" | "down" | "unseeded";

/** A mark that wasn't held for so long may be of a history that is over. */
const doubtMs = 5_000;

/** What is known of a replica, from looking at it now and then. */
export class Replica {
  readonly name: string;
  readonly dataSource: DataSource;
  readonly freshness: Freshness;
  /** Reads that went here. */
  reads = 0;
  /** How often it was found away: one that comes back may show less than before, as a standby does that crashed. */
  lives = 0;
  /** When it is known to have held everything that was committed by then; on this process's own clock. */
  #freshAt: number | undefined;
  /** It said, or its silence does, that it can't be read from. */
  #out: { readonly state: "down" | "unseeded"; readonly why: string } | undefined;
  /** What the primary answered, when it couldn't be asked for a mark. */
  #unmarked: string | undefined;
  /** Once it was initialized, that is its owner's. */
  #wasInitialized = false;
  /** Marks that it didn't hold yet: the oldest, and one that is taken anew now and then. */
  #samples: readonly { readonly at: number; readonly mark: string }[] = [];

  constructor(name: string, dataSource: DataSource, freshness: Freshness) {
    this.name = name;
    this.dataSource = dataSource;
    this.freshness = freshness;
  }

  /** Whether it may be read from; if not, why. */
  standing(maxLagMs: number): "in" | OutOfRotation {
    if (!this.dataSource.isInitialized) return "down";
    if (this.#out) return this.#out.state;
    if (this.#freshAt === undefined) return "unknown";
    return performance.now() - this.#freshAt <= maxLagMs ? "in" : "lagging";
  }

  /** How old what it shows may be, ms. */
  get lagMs(): number | undefined {
    return this.#freshAt === undefined ? undefined : Math.round(performance.now() - this.#freshAt);
  }

  /** What the last look met, when something kept it from an answer. */
  get why(): string | undefined {
    if (!this.dataSource.isInitialized && this.#wasInitialized) return "its DataSource isn't initialized";
    return this.#out?.why ?? this.#unmarked;
  }

  /** A read failed as if it weren't there. The next look that succeeds brings it back. */
  isGone(error: unknown): void {
    this.lives++;
    this.#out = { state: "down", why: said(error) };
  }

  /**
   * Looks how fresh it is: whether it holds the mark of an earlier look, and takes another one then. A mark that it doesn't come to hold is kept, but not trusted
   * alone: after a fail-over nothing may ever hold it.
   */
  async look(now = performance.now()): Promise<void> {
    if (!(await this.#isInitialized())) return;
    const newest = this.#samples.at(-1);
    if (newest === undefined || now - newest.at > doubtMs) await this.#take(now);
    if (this.#samples.length === 0) return;
    try {
      for (const sample of this.#samples.toReversed()) {
        if (!(await this.freshness.has(sample.mark))) continue;
        this.#freshAt = Math.max(this.#freshAt ?? 0, sample.at);
        this.#samples = this.#samples.filter(({ at }) => at > sample.at);
        break;
      }
      this.#out = undefined;
    } catch (error) {
      if (isLockstepError(error, "REPLICA_UNSEEDED")) this.#out = { state: "unseeded", why: said(error) };
      else this.isGone(error);
    }
  }

  async #isInitialized(): Promise<boolean> {
    if (!this.#wasInitialized && !this.dataSource.isInitialized) {
      await this.dataSource.initialize().catch((error: unknown) => this.isGone(error));
    }
    this.#wasInitialized ||= this.dataSource.isInitialized;
    return this.dataSource.isInitialized;
  }

  // Where the primary can't say, nothing is known of the replica: it grows old.
  async #take(at: number): Promise<void> {
    try {
      const mark = await this.freshness.mark();
      this.#samples = [...this.#samples.slice(0, 1), { at, mark }];
      this.#unmarked = undefined;
    } catch (error) {
      this.#unmarked = said(error);
    }
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
