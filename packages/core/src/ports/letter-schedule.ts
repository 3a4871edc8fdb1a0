/** Which letter, and at which attempt it was scheduled. */
export interface DueLetter {
  readonly target: string;
  readonly source: string;
  readonly partition: number;
  readonly letter: string;
  readonly attempt: number;
}

/**
 * The clock of retries (BullMQ). A job only says "this letter is due"; the lane writes (PROTOCOL.md 14). Losing it loses no letter:
 * lanes schedule again from the records in the target.
 */
export interface LetterSchedule {
  /** Scheduling the same letter at the same attempt twice is harmless. */
  schedule(letter: DueLetter, delayMs: number): Promise<void>;
  /** Tells the lane, in whichever process it runs, that letters are due or a person decided something. */
  nudge(lane: {
    readonly target: string;
    readonly source: string;
    readonly partition: number;
  }): Promise<void>;
  /** Calls `wake` when the lane is nudged. Returns a function that stops it. */
  onNudge(
    lane: { readonly target: string; readonly source: string; readonly partition: number },
    wake: () => void,
  ): () => void;
}
