import {
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { spanNames, type TransactionHeader } from "@lockstep/core";

const maxLinks = 32;
const form = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/;

/** Counts and names of a batch, for its span. Never values. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/**
 * Runs `work` in a span of its own. A batch of one transaction continues that transaction's trace, so that one trace runs from the app
 * to the target; a larger one links to the first 32 transactions that have a trace.
 */
export async function inApplySpan<T>(
  transactions: readonly TransactionHeader[],
  attributes: SpanAttributes,
  work: () => Promise<T>,
): Promise<T> {
  const [only] = transactions;
  const parent = transactions.length === 1 ? spanContextOf(only?.traceparent) : undefined;
  const within: Context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const links = transactions.length === 1 ? [] : linksOf(transactions);
  const span = trace.getTracer("@lockstep/apply").startSpan(spanNames.apply, { attributes, links }, within);
  try {
    return await context.with(trace.setSpan(within, span), work);
  } catch (error) {
    // The name alone: a driver's message can hold values.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "error" });
    throw error;
  } finally {
    span.end();
  }
}

/** Parses a W3C traceparent; `undefined` when it isn't one. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const match = traceparent === undefined ? null : form.exec(traceparent);
  if (match === null) return undefined;
  const [, traceId = "", spanId = "", flags = "0"] = match;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

function linksOf(transactions: readonly TransactionHeader[]): Link[] {
  const links: Link[] = [];
  for (const { traceparent } of transactions) {
    if (links.length === maxLinks) break;
    const spanContext = spanContextOf(traceparent);
    if (spanContext) links.push({ context: spanContext });
  }
  return links;
}
