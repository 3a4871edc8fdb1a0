import { spanNames, type StreamEntry } from "@lockstep/core";
import { SpanKind, trace, TraceFlags, type Link, type SpanContext } from "@opentelemetry/api";

const maxLinks = 128;
const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Runs `work` in a span that links the transactions of the entries. */
export async function inPublishSpan(
  source: string,
  entries: readonly StreamEntry<unknown>[],
  work: () => Promise<void>,
): Promise<void> {
  const links = linksOf(entries);
  // Most applications trace a part of their transactions only: what isn't traced costs nothing here.
  if (links.length === 0) return work();
  const span = trace.getTracer("@lockstep/publisher").startSpan(spanNames.publish, {
    kind: SpanKind.PRODUCER,
    links,
    attributes: { "lockstep.source": source, "lockstep.position": entries.at(-1)!.id },
  });
  try {
    await work();
  } finally {
    span.end();
  }
}

function linksOf(entries: readonly StreamEntry<unknown>[]): Link[] {
  const contexts = new Map<string, SpanContext>();
  for (const { transactions } of entries) {
    for (const { traceparent } of transactions) {
      if (contexts.size >= maxLinks) break;
      const context = traceparent === undefined ? undefined : contextOf(traceparent);
      if (context) contexts.set(context.spanId, context);
    }
  }
  return [...contexts.values()].map((context) => ({ context }));
}

function contextOf(traceparent: string): SpanContext | undefined {
  const match = form.exec(traceparent);
  if (!match) return undefined;
  const isSampled = (parseInt(match[3]!, 16) & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
  return {
    traceId: match[1]!,
    spanId: match[2]!,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}
