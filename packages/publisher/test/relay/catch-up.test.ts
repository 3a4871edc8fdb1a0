import { silentLogger } from "@lockstep/core";
import { redisStreamWriter } from "@lockstep/stream";
import { expect } from "chai";
import { openCatchUp } from "../../src/relay/catch-up.js";
import { Latch } from "../../src/relay/latch.js";
import { defaultRelayLimits } from "../../src/relay/limits.js";
import type { RelayContext, Term } from "../../src/relay/relay-context.js";
import { inserts, openStage, type Stage } from "./stage.js";

describe("a catch-up feed", () => {
  let stage: Stage;
  const stop = new AbortController();
  beforeEach(async () => {
    stage = await openStage();
  });
  afterEach(() => stage.close());

  it("doesn't take the silence of a read that was told to stop for an answer", async () => {
    stage.log.commit(inserts(3));
    await stage.log.cut();
    const stream = redisStreamWriter({ redis: stage.url, source: stage.source });
    // The main stream is beyond the position, and the read ends because the feed is no longer wanted.
    const log = new Proxy(stage.log, {
      get: (real, name) =>
        name === "read"
          ? async function* () {
              stop.abort();
              yield* [];
            }
          : (Reflect.get(real, name) as unknown),
    });
    const context = { ...contextOf(stage), log, stream } as RelayContext;
    const feed = await openCatchUp(
      context,
      termAt("1-3"),
      { target: "t1", partition: 0, after: "0-0" },
      stop.signal,
    );
    const ended = await feed.run().catch((error: unknown) => error);
    expect(ended).to.have.property("name", "AbortError");
    expect(await stage.redis.xlen(stage.keys.feed({ partition: 0, target: "t1" }))).to.equal(0);
    await stream.close();
  });
});

function contextOf({ source }: Stage): Omit<RelayContext, "log" | "stream"> {
  return {
    source,
    partitions: 1,
    limits: defaultRelayLimits,
    logger: silentLogger,
    queues: [],
    now: Date.now,
    elapsed: () => performance.now(),
    name: "test",
    nudged: new Latch(),
    called: new Latch(),
    draining: new AbortController().signal,
  };
}

function termAt(published: Term["published"]): Term {
  const over = new AbortController();
  return {
    incarnation: "source-1",
    signal: over.signal,
    end: () => over.abort(),
    top: published,
    published,
    total: 3,
    registered: [],
    ahead: new Set(),
    prunes: 0,
    lacking: [],
    schemas: new Set(),
    isCaughtUp: true,
    waiting: undefined,
    ticked: new Set(),
  };
}
