import { assertNever, type CaptureKind } from "@lockstep/core";
import { binlogCapture } from "./binlog/binlog-capture.js";
import type { CaptureSource, SourceCapture } from "./source-capture.js";
import { subscriberCapture } from "./subscriber/subscriber-capture.js";
import { triggerCapture } from "./trigger/trigger-capture.js";
import { walCapture } from "./wal/wal-capture.js";

/** The capture of a source, by its kind. @throws LockstepError CONFIG_INVALID when the source's engine hasn't got that kind. */
export function captureOf(kind: CaptureKind, source: CaptureSource): SourceCapture {
  switch (kind) {
    case "subscriber":
      return subscriberCapture(source);
    case "binlog":
      return binlogCapture(source);
    case "trigger":
      return triggerCapture(source);
    case "wal":
      return walCapture(source);
    default:
      return assertNever(kind);
  }
}
