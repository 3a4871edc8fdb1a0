import { outboxLog } from "../outbox-log.js";
import type { CaptureSource, SourceCapture } from "../source-capture.js";
import { installCapture } from "./install-capture.js";

/** Capture by following TypeORM's statements: nothing of it is in the database but the outbox. */
export function subscriberCapture(source: CaptureSource): SourceCapture {
  return {
    kind: "subscriber",
    plan: async () => ({ findings: [], statements: [] }),
    removal: async () => ({ statements: [] }),
    changeLog: () => outboxLog(source),
    attach: installCapture,
  };
}
