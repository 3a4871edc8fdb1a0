import { parseConfig } from "@lockstep/config";
import { startConsumer } from "@lockstep/consumer";
import { spanNames } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { expect } from "chai";
import { pino } from "pino";
import { Rig, type RigApp } from "./rig/rig.js";

describe("a trace", () => {
  const exporter = new InMemorySpanExporter();
  before(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
  });
  after(() => {
    for (const api of [context, propagation, trace]) api.disable();
  });

  /** A shop whose lane has caught up, and what is found of the trace that `write` is in, when the lane has a part in it. */
  async function follow(
    capture: "subscriber" | "wal",
    write: (app: RigApp) => Promise<unknown>,
  ): Promise<(name: string) => ReadableSpan | undefined> {
    await using rig = await Rig.open("postgres", { reporting: "postgres" });
    await using app = await rig.openApp({ capture });
    await using _consumer = await startConsumer({
      config: parseConfig(rig.config()),
      logger: pino({ level: "silent" }),
    });
    await rig.untilRegistered();
    await app.shop.open(2, 2);
    await rig.untilConverged();
    exporter.reset();
    const traceId = await trace.getTracer("shop").startActiveSpan("place order", async (span) => {
      await write(app);
      span.end();
      return span.spanContext().traceId;
    });
    const find = (name: string) =>
      exporter
        .getFinishedSpans()
        .find(
          (s) =>
            s.name === name &&
            (s.spanContext().traceId === traceId || s.links.some((l) => l.context.traceId === traceId)),
        );
    // Each ends when the answer is there, the lane's perhaps before the relay's.
    await eventually(async () => find(spanNames.apply) !== undefined, { what: "the lane's span" });
    await eventually(async () => find(spanNames.publish) !== undefined, { what: "the relay's span" });
    // One transaction alone in its batch: the lane's span is part of the app's trace.
    expect(find(spanNames.apply)?.spanContext().traceId).to.equal(traceId);
    return find;
  }

  it("runs from the app's transaction through the relay and the lane to the target's", async () => {
    const secret = "a value that must not be in any span";
    const find = await follow("subscriber", ({ dataSource, entities }) =>
      dataSource.getRepository(entities.tag).save({ name: "traced", description: secret }),
    );
    expect(find(spanNames.capture)).to.not.equal(undefined);
    const told = exporter
      .getFinishedSpans()
      .map((s) => JSON.stringify([s.name, s.attributes, s.events, s.status]));
    expect(told.filter((text) => text.includes(secret))).to.deep.equal([]);
  });

  it("runs through the write-ahead log, too", async () => {
    await follow("wal", ({ dataSource, entities }) =>
      dataSource.getRepository(entities.tag).save({ name: "traced", description: "x" }),
    );
  });
});
