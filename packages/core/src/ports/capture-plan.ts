import type { RowNote, RunStatement } from "./outbox.js";

/** Something that a capture needs at the source and that isn't as it should be. */
export interface CaptureFinding {
  /** `namespace.name`; absent when it is about the source as a whole. */
  readonly table?: string;
  /**
   * `missing`: nothing is there; `drifted`: it is there, made for an older shape of the table; `refused`: it can't be put in place as
   * things are, and no statement of the plan mends it; `extra`: it is there and isn't wanted.
   */
  readonly problem: "missing" | "drifted" | "refused" | "extra";
  /** One sentence that says what is wrong and, when refused, what to do. Never holds row values. */
  readonly message: string;
  /** True when nothing of the capture is on this table: it may be left out on purpose. */
  readonly isBare?: boolean;
  /** True when changes are captured whole all the same. */
  readonly isHarmless?: boolean;
}

/** The difference between what a capture needs at the source and what is there. */
export interface CapturePlan {
  /** Empty: all is in place. */
  readonly findings: readonly CaptureFinding[];
  /** What brings the source in order, to be run one after another, outside of or inside a transaction. Empty when nothing can be done. */
  readonly statements: readonly string[];
  /** Gives the session back as it was: the last of the statements, to be run also when one before it failed. */
  readonly restore?: string;
}

/** What takes a capture out of its source again: statements, to be run one after another, and what is to be run also when one before it failed. */
export type CaptureRemoval = Pick<CapturePlan, "statements" | "restore">;

/** Triggers that write a source's changes to its outbox. One per engine. */
export interface OutboxTriggers {
  /** Compares the triggers of `tables` with what they must be. Registers the tables' schemas, changes nothing else. The outbox exists. */
  plan(run: RunStatement, tables: readonly RowNote["table"][]): Promise<CapturePlan>;
  /** Statements that remove them all, whichever tables they are on. */
  removal(run: RunStatement): Promise<CaptureRemoval>;
}
