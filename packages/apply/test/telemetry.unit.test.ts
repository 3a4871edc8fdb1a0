import {
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { TransactionHeader } from "@lockstep/core";
import { expect } from "chai";
import { inApplySpan, spanContextOf } from "../src/telemetry.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

interface Started {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: string | undefined;
}

function record(): Started[] {
  const started: Started[] = [];
  const tracer = {
    startSpan(name: string, options: SpanOptions, within: Context): Span {
      started.push({ name, options, parent: trace.getSpanContext(within)?.traceId });
      return trace.wrapSpanContext({ traceId, spanId: "b7ad6b7169203331", traceFlags: 1 });
    },
  } as Partial<Tracer> as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  return started;
}

function transactions(count: number, withTrace: number): TransactionHeader[] {
  return Array.from({ length: count }, (_, i) => {
    const header = { id: `${i}`, at: 0, events: 1 };
    return i < withTrace ? { ...header, traceparent } : header;
  });
}

describe("the apply span", () => {
  afterEach(() => trace.disable());

  it("continues the trace of a single transaction", async () => {
    const started = record();
    const answer = await inApplySpan(transactions(1, 1), { "lockstep.events": 1 }, async () => "done");
    expect(answer).equal("done");
    expect(started).deep.include({
      name: "lockstep apply",
      options: { attributes: { "lockstep.events": 1 }, links: [] },
      parent: traceId,
    });
  });

  it("links to at most 32 of many transactions", async () => {
    const started = record();
    await inApplySpan(transactions(100, 50), {}, async () => undefined);
    expect(started[0]?.parent).equal(undefined);
    expect(started[0]?.options.links).length(32);
    expect(started[0]?.options.links?.[0]?.context.traceId).equal(traceId);
  });

  it("throws on what its work throws", async () => {
    record();
    const error = await inApplySpan([], {}, async () => Promise.reject(new Error("mine"))).catch(
      (e: Error) => e,
    );
    expect(error).property("message", "mine");
  });

  it("reads only what is a traceparent", () => {
    expect(spanContextOf(traceparent)).deep.include({ traceId, traceFlags: 1, isRemote: true });
    expect([undefined, "", "00-xyz", "nonsense"].map(spanContextOf)).deep.equal(Array(4).fill(undefined));
    expect(context.active()).equal(ROOT_CONTEXT);
  });
});
