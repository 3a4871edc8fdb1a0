import type { Op } from "../change-event.js";
import type { Position } from "../position.js";

/**
 * Where a letter stands.
 * - live: `retrying` (BullMQ will say when), `due` (the lane writes it next), `waiting` (on the letter of the other side of a
 *   foreign key; burns no attempts), `dead` (attempts used up; stays until a person decides)
 * - over: `applied`, `superseded` (a newer image of the row applied), `discarded` (by a person); the lane forgets them after a while
 */
export type LetterState = "retrying" | "due" | "waiting" | "dead" | "applied" | "superseded" | "discarded";

/** The states in which a letter stands for a difference between source and target. */
export const liveLetterStates = [
  "retrying",
  "due",
  "waiting",
  "dead",
] as const satisfies readonly LetterState[];

/** One try to write a letter's row. */
export interface LetterAttempt {
  readonly at: number;
  readonly code: string;
  /** Constraint or column the target named; never the driver's own text (PROTOCOL.md 33). */
  readonly about?: string;
}

/** A row change that a target refuses, with the newest image of the row. At most one live letter per row. */
export interface DeadLetter {
  readonly id: string;
  readonly source: string;
  readonly partition: number;
  /** `namespace.name` at the source. */
  readonly table: string;
  /** JSON array of the key's texts. */
  readonly key: string;
  readonly op: Op;
  readonly position: Position;
  /** Ordinal of the event inside its tick; with `position` it orders letters. */
  readonly ordinal: number;
  /** Schema fingerprint of `image`. */
  readonly schema: string;
  readonly state: LetterState;
  readonly code: string;
  readonly about?: string;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  /** When a `retrying` letter is due. */
  readonly dueAt?: number;
  /** Id of the letter a `waiting` one waits for. */
  readonly waitingFor?: string;
  readonly resolvedAt?: number;
  /** Who replayed or discarded it, and why. */
  readonly resolvedBy?: string;
  readonly reason?: string;
}

/** A letter with what the list leaves out. */
export interface DeadLetterDetail extends DeadLetter {
  /** JSON array of cells; absent for a delete. */
  readonly image?: string;
  /** The key before, when the change moved it. */
  readonly before?: string;
  /** The row's version in two-way sync, as the event has it: each try compares it with what is there then. */
  readonly version?: string;
  /** The driver's own message; it may hold values and is protected like the image (PROTOCOL.md 33). */
  readonly rawError: string;
  /** Newest last, at most 20. */
  readonly history: readonly LetterAttempt[];
}

/** Which letters. Every field narrows. */
export interface LetterFilter {
  readonly ids?: readonly string[];
  readonly source?: string;
  readonly partition?: number;
  readonly table?: string;
  readonly states?: readonly LetterState[];
  readonly code?: string;
  /** Found in table, key, code or constraint; case-insensitive. */
  readonly text?: string;
  /** Keys are searched for `text` only in letters of these schemas (fingerprints): what is found can be guessed. Default: in all. */
  readonly keysOf?: readonly string[];
}

/** Letters of one target, as the status service sees them. A person's decisions go through here; rows are written by the lane alone. */
export interface LetterDesk {
  /** Newest failure first; `cursor` from the page before. */
  list(
    filter: LetterFilter,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: string }>;
  groups(
    filter: LetterFilter,
    limit: number,
  ): Promise<
    readonly {
      readonly table: string;
      readonly code: string;
      readonly count: number;
      readonly oldestAt: number;
      readonly newestAt: number;
    }[]
  >;
  get(id: string): Promise<DeadLetterDetail | undefined>;
  /** Marks live letters `due` with fresh attempts; returns the ids, at most `limit`. */
  replay(filter: LetterFilter, by: string, limit: number): Promise<readonly string[]>;
  /** @throws LockstepError LETTER_UNKNOWN, LETTER_STATE. */
  discard(id: string, by: string, reason: string): Promise<void>;
  /** What BullMQ's jobs do: `retrying` → `due`, when it still is at that attempt. True when it did. */
  markDue(id: string, attempt: number): Promise<boolean>;
  counts(): Promise<Readonly<Record<LetterState, number>>>;
  /** Schemas (fingerprints) that letters have, with their tables and sources; at most 1000. */
  schemas(): Promise<readonly Pick<DeadLetter, "source" | "table" | "schema">[]>;
}
