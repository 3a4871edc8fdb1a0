import { postgresTriggers } from "@lockstep/outbox";
import { openTransactionsOfOthers } from "@lockstep/outbox/mysql";
import { transactionsInTheWay } from "@lockstep/outbox/postgres";
import { installAlone } from "../install-alone.js";
import { outboxLog } from "../outbox-log.js";
import { seenThroughTriggers } from "../foreign-key-actions.js";
import type { CaptureSource, SourceCapture } from "../source-capture.js";
import { commentWrites } from "../trace/comment-writes.js";
import { watchedLog } from "../watched-log.js";

/** Capture by triggers of the database, which write to the same outbox as the application would: the relay knows no difference. */
export function triggerCapture(source: CaptureSource): SourceCapture {
  const triggers =
    source.engine === "postgres"
      ? postgresTriggers(source.outbox)
      : seenThroughTriggers(source, { actions: source.foreignKeyActions ?? "capture", by: "triggers" });
  const plan: SourceCapture["plan"] = (run, tables) => triggers.plan(run, tables);
  return {
    kind: "trigger",
    plan,
    ...(source.engine === "postgres" ? { trace: commentWrites } : { alone: installAlone }),
    inTheWay: (run, _statement, tables) =>
      source.engine === "postgres" ? transactionsInTheWay(run, tables) : openTransactionsOfOthers(run),
    removal: (run) => triggers.removal(run),
    changeLog: () => watchedLog(outboxLog(source), source, plan),
  };
}
