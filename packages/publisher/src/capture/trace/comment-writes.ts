import type { DataSource } from "typeorm";
import type { Capture } from "../subscriber/capture.js";
import { removeCapture, setCapture } from "../subscriber/patch-typeorm.js";
import { recordedTrace } from "./recorded-trace.js";
import { traceComment } from "./trace-comment.js";

/**
 * Has writes that are sent inside a recorded span say which trace they belong to, in a comment behind them: whoever captures them in the database sees their
 * text, in the log or in a trigger. No round trip more; what isn't traced is sent as it always is. Gives what ends it.
 */
export async function commentWrites(dataSource: DataSource): Promise<() => void> {
  const capture: Capture = {
    begins: () => undefined,
    execute: (builder, execute) => execute.call(builder),
    watch: (_runner, _sql, send) => send(),
    release: (_runner, release) => release(),
    send(_runner, { kind }, { sql, parameters }, send) {
      const traceparent = kind === "write" ? recordedTrace() : undefined;
      // Behind the end of a statement MySQL takes even a comment for a second one.
      if (traceparent === undefined || sql.trimEnd().endsWith(";")) return send();
      return send(parameters, traceComment(traceparent));
    },
  };
  setCapture(dataSource, capture);
  return () => removeCapture(dataSource, capture);
}
