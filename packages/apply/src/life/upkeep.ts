import type { Applier } from "../write/applier.js";
import type { OwnedLane } from "./lane-room.js";
import {
  pruneConflicts,
  pruneLetters,
  pruneVersions,
  releaseOrphans,
  rescheduleLetters,
} from "./letter-upkeep.js";
import { confirmed, refuseReplaced } from "./registering.js";

const lookEveryMs = 1_000;
const lettersEveryMs = 30_000;

/** What an owned lane does beside applying: looks for a person's wishes, the relay's answer and letters that got lost. */
export class Upkeep {
  /** Letters may be due. */
  lettersDue = true;
  #confirmed = false;
  #lettersChanged = true;
  #lookedAt: number;
  #lettersAt = -Infinity;

  constructor(
    private readonly lane: OwnedLane,
    private readonly applier: Applier,
  ) {
    this.#lookedAt = -Infinity;
  }

  /** A step changed letters. */
  lettersChanged(): void {
    this.#lettersChanged = true;
  }

  /** Called between steps, often. */
  async look(): Promise<void> {
    const { room, session } = this.lane;
    const { nudges, status } = room;
    const nudged = nudges.count !== nudges.seen;
    if (!nudged && room.elapsed() - this.#lookedAt < lookEveryMs) return;
    nudges.seen = nudges.count;
    this.#lookedAt = room.elapsed();
    if (nudged) this.lettersDue = true;
    await this.applier.refresh();
    status.checkpoint = this.applier.checkpoint;
    if (this.#confirmed) await refuseReplaced(this.lane, this.applier.checkpoint);
    else this.#confirmed = await confirmed(this.lane, this.applier.checkpoint);
    await this.#lookAfterLetters();
    // A person may have discarded what others wait for.
    if (nudged && (status.letters["waiting"] ?? 0) > 0) await releaseOrphans(this.lane, this.applier);
    if (this.#lettersChanged || nudged) status.letters = await session.letterCounts();
    this.#lettersChanged = false;
  }

  async #lookAfterLetters(): Promise<void> {
    const { room } = this.lane;
    if (room.elapsed() - this.#lettersAt < lettersEveryMs) return;
    // At first all of them, because Redis may have lost every job; later those whose time has come.
    const before = this.#lettersAt === -Infinity ? room.now() + room.retry.longestDelayMs : room.now();
    this.#lettersAt = room.elapsed();
    this.lettersDue = true;
    this.#lettersChanged = true;
    await rescheduleLetters(this.lane, before);
    await releaseOrphans(this.lane, this.applier);
    await pruneLetters(this.lane);
    await pruneVersions(this.lane);
    await pruneConflicts(this.lane);
  }
}
