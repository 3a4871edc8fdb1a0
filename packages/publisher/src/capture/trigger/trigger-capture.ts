import { LockstepError } from "@lockstep/core";
import { postgresTriggers } from "@lockstep/outbox";
import { outboxLog } from "../outbox-log.js";
import type { CaptureSource, SourceCapture } from "../source-capture.js";

/** Capture by triggers of the database, which write to the same outbox as the application would: the relay knows no difference. */
export function triggerCapture(source: CaptureSource): SourceCapture {
  if (source.engine !== "postgres") {
    throw new LockstepError("CONFIG_INVALID", `capture: "trigger" is not built yet for MySQL and MariaDB`);
  }
  const triggers = postgresTriggers(source.outbox);
  return {
    kind: "trigger",
    plan: triggers.plan,
    removal: triggers.removal,
    changeLog: () => outboxLog(source),
  };
}
