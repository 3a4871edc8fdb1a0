import { LockstepError, type Finding } from "@lockstep/core";

/** Events stay for a minute after they are applied (`graceMs`); a longer window would miss those that were pruned. */
const longestMs = 50_000;

/** @throws LockstepError CONFIG_INVALID when a window outlasts the events that are compared. */
export function refuseLongWindow(windowMs: number): void {
  if (windowMs <= longestMs) return;
  throw new LockstepError(
    "CONFIG_INVALID",
    `the window may be ${longestMs / 1000} s at most: later events are pruned`,
  );
}

/** What it means that the database counted `changes` row changes of a table, more than 0, while `events` were captured. */
export function coverageOf(table: string, changes: number, events: number): Finding {
  const about = { check: "capture.coverage", subject: table } as const;
  if (events === 0) {
    return {
      ...about,
      level: "error",
      message: `the database counted ${changes} row change(s) and none was captured (rolled-back ones count too)`,
      advice:
        "Somebody writes past capture: capture this source by trigger or from its log, then verify the targets.",
    };
  }
  // Fewer events than changes is no proof: a row changed twice in a transaction is one event, and what was rolled back is counted.
  return { ...about, level: "ok", message: `${changes} row change(s) counted, ${events} event(s) captured` };
}

/** Of the committed transactions that changed a table, how many left no event of it. */
export interface TransactionCount {
  readonly table: string;
  readonly written: number;
  readonly missed: number;
}

/** What it means that transactions were counted one by one. `past`: what those that were missed did, and what to do. */
export function coverageOfTransactions(
  { table, written, missed }: TransactionCount,
  past: { readonly did: string; readonly advice: string } = pastCapture,
): Finding {
  const about = { check: "capture.coverage", subject: table } as const;
  return missed === 0
    ? { ...about, level: "ok", message: `all of ${written} transaction(s) were captured` }
    : {
        ...about,
        level: "error",
        message: `${missed} of ${written} transaction(s) that changed it ${past.did}`,
        advice: past.advice,
      };
}

const pastCapture = {
  did: "went past capture",
  advice:
    "Somebody writes past capture: capture this source by trigger or from its log, then verify the targets.",
};

/** Nobody captures this table, and it is written to: on purpose or not is for the user to say. */
export function writtenUncaptured(table: string, what: string): Finding {
  return {
    check: "capture.coverage",
    level: "warning",
    subject: table,
    message: `is not captured, and ${what}`,
    advice: "Name it for capture if targets are to have it; else leave it.",
  };
}

/** Nobody wrote while the doctor watched. */
export const nothingWritten: Finding = {
  check: "capture.coverage",
  level: "warning",
  subject: "source",
  message: "nothing was written while the doctor watched: coverage is not shown",
  advice: "Run it while the application works, or for longer.",
};
