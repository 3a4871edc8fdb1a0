import type { Fault, TargetTransaction } from "@lockstep/core";
import type { StepGuard } from "./guard/step-guard.js";
import type { Ledger } from "./ledger.js";
import type { LetterBook } from "./letter-book.js";
import type { LiveLetters } from "./live-letters.js";
import type { Chance } from "./next-attempt.js";
import type { Refused } from "./refused.js";
import type { TableBook } from "./table-book.js";
import type { RetryRules } from "./retry-rules.js";

/** Everything a step works with while its transaction is open. */
export interface StepRoom extends Chance {
  readonly lane: { readonly source: string; readonly partition: number };
  readonly transaction: TargetTransaction;
  readonly classify: (error: unknown) => Fault;
  readonly retry: RetryRules;
  readonly tables: TableBook;
  readonly ledger: Ledger;
  readonly live: LiveLetters;
  readonly letters: LetterBook;
  /** Counts a refused row; throws when these are too many to be bad rows. Absent where rows are tried one by one anyway. */
  readonly onRefused?: (refused: Refused) => void;
  /** Stands before tables whose rows others may write; absent where there are none. */
  readonly guard?: StepGuard;
  /** Waiting letters released in one step. */
  readonly maxReleased: number;
}
