import { isSpanContextValid, trace } from "@opentelemetry/api";

/** The traceparent (W3C) of the active span; `undefined` where none is recorded. */
export function recordedTrace(): string | undefined {
  const span = trace.getActiveSpan();
  if (span?.isRecording() !== true) return undefined;
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, "0")}`;
}
