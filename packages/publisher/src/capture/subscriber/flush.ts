import { LockstepError, type RowNote, type RunStatement, isLockstepError, spanNames } from "@lockstep/core";
import { type Span, SpanStatusCode, isSpanContextValid, trace } from "@opentelemetry/api";
import type { CaptureRules } from "./capture-rules.js";
import { retryableCause } from "./server-errors.js";

const tracer = trace.getTracer("@lockstep/publisher");

/**
 * Appends a transaction's notes to the outbox, in the transaction that is open behind `run`.
 * @returns rows written. @throws LockstepError OUTBOX_WRITE_FAILED; the driver's own error after a deadlock or the like.
 */
export async function append(
  rules: Pick<CaptureRules, "writer">,
  run: RunStatement,
  notes: readonly RowNote[],
): Promise<number> {
  return tracer.startActiveSpan(spanNames.capture, async (span) => {
    try {
      const written = await rules.writer.append(run, notes, transactionOf(span));
      span.setAttribute("lockstep.events", written);
      return written;
    } catch (cause) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      // As it came from the driver: an application that runs such transactions again looks for its code.
      const again = retryableCause(cause);
      if (again !== undefined) throw again;
      if (isLockstepError(cause)) throw cause;
      throw new LockstepError("OUTBOX_WRITE_FAILED", "the outbox refused this transaction's changes", {
        cause,
      });
    } finally {
      span.end();
    }
  });
}

/** The W3C traceparent of a span, when it is one that is traced. */
function transactionOf(span: Span): { readonly traceparent?: string } {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return {};
  const flags = context.traceFlags.toString(16).padStart(2, "0");
  return { traceparent: `00-${context.traceId}-${context.spanId}-${flags}` };
}
