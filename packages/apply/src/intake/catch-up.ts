import type { Feed, Position, StreamReader, TargetAnnouncement } from "@lockstep/core";
import { followOn, isLockstepError, LockstepError, type StreamEntry } from "@lockstep/core";

/** How long a catch-up feed may be silent before it is asked for again, ms. */
const silentMs = 5_000;
/** How often the relay's answer is looked at, ms. */
const answerMs = 2_000;

/** What catching up needs. */
export interface CatchUpOptions {
  readonly reader: StreamReader;
  readonly target: TargetAnnouncement;
  readonly elapsed: () => number;
}

/**
 * A lane that fell behind the main feed is fed from the outbox (PROTOCOL.md 3): it asks for the entries after its position, reads
 * them from a feed of its own, and goes back as soon as the main feed follows on.
 */
export class CatchUp {
  readonly feed: Feed;
  readonly #options: CatchUpOptions;
  readonly #main: Feed;
  #askedAt = -Infinity;
  #answerAt = -Infinity;

  constructor(options: CatchUpOptions) {
    this.#options = options;
    const { partition, id } = options.target;
    this.#main = { partition };
    this.feed = { partition, target: id };
  }

  /**
   * Asks to be fed from `position`, again when the feed has been silent (Redis may have been emptied), and at once when `anew`. In between the wish
   * moves along with what is acknowledged.
   */
  async ask(position: Position, anew = false): Promise<void> {
    const { reader, target, elapsed } = this.#options;
    if (!anew && elapsed() - this.#askedAt < silentMs) return;
    await reader.requestCatchUp(target.partition, target.id, position);
    this.#askedAt = elapsed();
  }

  /** Something came. */
  heard(): void {
    this.#askedAt = this.#options.elapsed();
  }

  /** @throws LockstepError HISTORY_GONE when the source no longer holds what this target needs. */
  async refuseGone(): Promise<void> {
    const { reader, target, elapsed } = this.#options;
    if (elapsed() - this.#answerAt < answerMs) return;
    this.#answerAt = elapsed();
    await reader.announce(target);
    const answer = await reader.confirmation(target);
    if (answer?.state === "needs-backfill") throw historyGone(target);
  }

  /** Entries of the main feed when it follows on from `position`; `undefined` while it doesn't. */
  async rejoin(position: Position): Promise<readonly StreamEntry[] | undefined> {
    const { reader } = this.#options;
    try {
      const entries = await reader.read(this.#main, position, { maxEntries: 1, blockMs: 0 });
      const following = followOn(position, entries);
      if (following.length === 0 && (await reader.relay())?.published !== position) return undefined;
      await this.end();
      return following;
    } catch (error) {
      if (isLockstepError(error, "STREAM_GAP")) return undefined;
      throw error;
    }
  }

  async end(): Promise<void> {
    const { reader, target } = this.#options;
    await reader.requestCatchUp(target.partition, target.id, undefined);
  }
}

/** The error of a target whose history is pruned. */
export function historyGone(target: TargetAnnouncement): LockstepError {
  return new LockstepError("HISTORY_GONE", `the source has pruned what ${target.name} has not applied yet`, {
    details: { target: target.name, partition: target.partition },
  });
}
