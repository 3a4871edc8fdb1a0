import {
  type Checkpoint,
  type CheckpointMove,
  type Fault,
  isLockstepError,
  type LaneSession,
  type Target,
  type TargetTransaction,
} from "@lockstep/core";
import type { LaneLimits } from "../lane-options.js";
import { StepGuard } from "./guard/step-guard.js";
import { type Ledger, openLedger } from "./ledger.js";
import { LetterBook } from "./letter-book.js";
import type { LiveLetters } from "./live-letters.js";
import type { Chance } from "./next-attempt.js";
import type { Refused } from "./refused.js";
import type { RefusalWindow, StepRefusals } from "./refusal-window.js";
import type { RetryRules } from "./retry-rules.js";
import type { StepRoom } from "./step-room.js";
import { type TableBook, TablesNeeded } from "./table-book.js";

/** What an error means, ours among them: one that concerns a row is a fault of that row. */
export function classifyAny(target: Pick<Target, "classify">, error: unknown): Fault {
  if (isLockstepError(error) && error.recovery === "dead-letter") return { kind: "row", code: error.code };
  return target.classify(error);
}

/** What steps need beside their work. */
export interface StepRunnerOptions extends Chance {
  readonly lane: { readonly source: string; readonly partition: number };
  readonly session: LaneSession;
  readonly target: Pick<Target, "classify" | "letters">;
  readonly tables: TableBook;
  readonly live: LiveLetters;
  readonly retry: RetryRules;
  readonly limits: LaneLimits;
  readonly refusals: RefusalWindow;
}

/**
 * One step of the target. What it did to letters and refusals counts only when it has committed; tables it asks for are made or checked outside
 * of it, and it runs again. `rowsOf`: rows of the batch by table; absent when refusals don't count.
 */
export async function runStep(
  options: StepRunnerOptions,
  move: CheckpointMove,
  rowsOf: ((table: string) => number) | undefined,
  work: (room: StepRoom) => Promise<void>,
): Promise<{ readonly checkpoint: Checkpoint; readonly ledger: Ledger }> {
  const { session, live, tables, refusals } = options;
  for (;;) {
    const ledger = openLedger();
    const counted = rowsOf && refusals.step(rowsOf);
    try {
      const run = async (transaction: TargetTransaction): Promise<void> => {
        await work(roomOf(options, transaction, ledger, counted));
        if (ledger.records !== 0) await transaction.countRecords(ledger.records);
      };
      const checkpoint = await session.step(move, run);
      live.follow(ledger);
      counted?.keep();
      return { checkpoint, ledger };
    } catch (error) {
      if (!(error instanceof TablesNeeded)) throw error;
      await tables.learnForLetters(error.fingerprints);
    }
  }
}

function roomOf(
  options: StepRunnerOptions,
  transaction: TargetTransaction,
  ledger: Ledger,
  counted: StepRefusals | undefined,
): StepRoom {
  const { lane, target, tables, live, retry, limits, now, random } = options;
  const room = {
    lane,
    transaction,
    tables,
    live,
    retry,
    ledger,
    now,
    random,
    classify: (error: unknown): Fault => classifyAny(target, error),
    letters: new LetterBook(transaction, tables),
    maxReleased: limits.maxLettersPerStep,
  };
  const { ruleOf } = tables;
  const guard = ruleOf && { guard: new StepGuard({ transaction, ledger, ruleOf }) };
  const onRefused = counted && { onRefused: (refused: Refused) => counted.count(refused) };
  return { ...room, ...guard, ...onRefused };
}
