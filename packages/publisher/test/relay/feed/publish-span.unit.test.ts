import type { StreamEntry } from "@lockstep/core";
import {
  trace,
  type Attributes,
  type Link,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { expect } from "chai";
import { inPublishSpan } from "../../../src/relay/feed/publish-span.js";

interface Started {
  readonly name: string;
  readonly links: readonly Link[];
  readonly attributes: Attributes;
  ended: boolean;
}

function entryOf(...traceparents: (string | undefined)[]): StreamEntry {
  return {
    id: "1-1",
    previous: "0-0",
    incarnation: "i",
    total: 1,
    endsTick: true,
    continues: false,
    transactions: traceparents.map((traceparent, i) => ({
      id: String(i),
      at: 1,
      events: 0,
      ...(traceparent === undefined ? {} : { traceparent }),
    })),
    events: [],
  };
}

describe("span of a publication", () => {
  const started: Started[] = [];
  beforeEach(() => {
    started.length = 0;
    trace.setGlobalTracerProvider(recording(started));
  });
  afterEach(() => trace.disable());

  it("links every traced transaction once and ends with the work", async () => {
    const one = `00-${"a".repeat(32)}-${"1".repeat(16)}-01`;
    const two = `00-${"b".repeat(32)}-${"2".repeat(16)}-00`;
    let isOpenDuringWork = false;
    await inPublishSpan("shop", [entryOf(one, undefined, two), entryOf(one, "nonsense")], async () => {
      isOpenDuringWork = started[0]?.ended === false;
    });
    expect(started).to.have.length(1);
    expect(started[0]!.name).to.equal("lockstep publish");
    expect(started[0]!.links.map((l) => [l.context.spanId, l.context.traceFlags])).to.deep.equal([
      ["1".repeat(16), 1],
      ["2".repeat(16), 0],
    ]);
    expect(started[0]!.attributes["lockstep.source"]).to.equal("shop");
    expect([isOpenDuringWork, started[0]!.ended]).to.deep.equal([true, true]);
  });

  it("is not opened for transactions that nobody traces", async () => {
    await inPublishSpan("shop", [entryOf(undefined)], async () => undefined);
    expect(started).to.deep.equal([]);
  });
});

function recording(started: Started[]): TracerProvider {
  const startSpan = (name: string, { links = [], attributes = {} }: SpanOptions = {}): Span => {
    const span: Started = { name, links, attributes, ended: false };
    started.push(span);
    return {
      ...trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 }),
      end: () => void (span.ended = true),
    };
  };
  const tracer: Tracer = {
    startSpan,
    startActiveSpan: () => {
      throw new Error("the relay starts no active span");
    },
  };
  return { getTracer: () => tracer };
}
