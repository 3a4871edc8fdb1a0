import { mysqlTriggers, postgresTriggers } from "@lockstep/outbox";
import { outboxLog } from "../outbox-log.js";
import { unseenByActions } from "../unseen-by-actions.js";
import type { CaptureSource, SourceCapture } from "../source-capture.js";

/** Capture by triggers of the database, which write to the same outbox as the application would: the relay knows no difference. */
export function triggerCapture(source: CaptureSource): SourceCapture {
  const { engine, outbox, foreignKeyActions } = source;
  const triggers = engine === "postgres" ? postgresTriggers(outbox) : mysqlTriggers(outbox);
  return {
    kind: "trigger",
    async plan(run, tables) {
      const { findings, statements } = await triggers.plan(run, tables);
      const unseen =
        engine === "mysql" && foreignKeyActions !== "accept"
          ? await unseenByActions(run, tables, "triggers")
          : [];
      return { findings: [...findings, ...unseen], statements };
    },
    removal: (run) => triggers.removal(run),
    changeLog: () => outboxLog(source),
  };
}
