import { eventually, type NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { runLoad } from "../src/index.js";
import { Rig, type RigApp } from "./rig/rig.js";

const targets = { reporting: "postgres", warehouse: "mariadb" } as const;

describe("faults in the middle of a load", function () {
  // One for all tests that leave it as they found it; a failed one is not handed on.
  let shared: Stage | undefined;
  beforeEach(async () => void (shared ??= await openStage()));
  afterEach(async function () {
    if (this.currentTest?.isFailed() === true) await endStage();
  });
  after(endStage);
  async function endStage(): Promise<void> {
    await shared?.[Symbol.asyncDispose]();
    shared = undefined;
  }

  it("kill -9 of the consumer, again and again: nothing is lost or repeated", async () => {
    const stage = shared!;
    const { rig, app } = stage;
    await using load = startLoad(app);
    for (let i = 0; i < 3; i++) {
      await untilMoved(rig);
      await stage.consumer.kill();
      await stage.startConsumer();
    }
    await load.stop();
    await rig.untilConverged();
  });

  it("Redis stopped and started: the app goes on writing, and everything arrives afterwards", async () => {
    const stage = shared!;
    const { rig, app } = stage;
    await using load = startLoad(app);
    await untilMoved(rig);
    await rig.redis.kill();
    const before = await rig.countAtSource();
    await eventually(async () => (await rig.countAtSource()) > before + 20, {
      what: "an app that goes on writing",
    });
    await rig.redis.start();
    await load.stop();
    await rig.untilConverged();
  });

  it("Redis emptied (FLUSHALL) twice: nothing is lost", async () => {
    const stage = shared!;
    const { rig, app } = stage;
    await using load = startLoad(app);
    for (let i = 0; i < 2; i++) {
      await untilMoved(rig);
      await rig.flushRedis();
    }
    await untilMoved(rig);
    await load.stop();
    await rig.untilConverged();
  });

  it("two consumers, the owner killed: the other takes over within 10 s", async () => {
    const stage = shared!;
    const { rig, app, consumer: first } = stage;
    await stage.startConsumer();
    // It is there: how long a process takes to start is not what is measured.
    await stage.consumer.untilSays('"msg":"started"');
    await app.shop.placeOrder();
    await rig.untilConverged();
    await first.kill();
    const since = performance.now();
    await app.shop.placeOrder();
    await rig.untilConverged(15_000);
    expect(performance.now() - since).to.be.lessThan(10_000);
  });

  it("a consumer that is told to stop drains and leaves nothing behind", async () => {
    const stage = shared!;
    const { rig, app, consumer: first } = stage;
    await using load = startLoad(app);
    await untilMoved(rig);
    expect(await first.stop(), first.output.join("\n")).to.equal(0);
    await load.stop();
    await stage.startConsumer();
    await rig.untilConverged();
  });
});

describe("faults of the app in the middle of its load", () => {
  it("kill -9 of the app, relay included: what was committed arrives, what was not doesn't", async () => {
    await using rig = await Rig.open("postgres", targets);
    await using _consumer = await rig.startConsumer();
    {
      // Rows that are older than a target's registration are not in its stream.
      await using _first = await rig.openApp();
      await rig.untilRegistered();
    }
    for (let i = 0; i < 2; i++) {
      await using app = await rig.startApp(60, 150);
      await app.untilSays("open");
      await untilMoved(rig);
      await app.kill();
    }
    // The next start of the app publishes what its predecessor left behind.
    await using app = await rig.startApp(1, 50);
    expect(await app.untilEnds(), app.output.join("\n")).to.equal(0);
    await using _relay = await rig.openApp();
    await rig.untilConverged();
  });
});

/** A shop whose doors are open, and a consumer that takes its changes to both targets. */
interface Stage extends AsyncDisposable {
  readonly rig: Rig;
  readonly app: RigApp;
  /** The one that was started last. */
  readonly consumer: NodeProcess;
  startConsumer(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const rig = await Rig.open("postgres", targets);
  const app = await rig.openApp();
  const consumers = [await rig.startConsumer()];
  await rig.untilRegistered();
  await app.shop.open(30, 20);
  return {
    rig,
    app,
    get consumer() {
      return consumers.at(-1)!;
    },
    startConsumer: async () => void consumers.push(await rig.startConsumer()),
    async [Symbol.asyncDispose]() {
      await Promise.all(consumers.map((consumer) => consumer[Symbol.asyncDispose]()));
      await app[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** A load that goes on until it is stopped; what made it fail is thrown then. */
function startLoad({ shop }: RigApp): AsyncDisposable & { stop(): Promise<void> } {
  const abort = new AbortController();
  const load = runLoad(shop, { seconds: 100, rate: 60, signal: abort.signal });
  load.catch(() => undefined);
  const stop = async () => {
    abort.abort();
    await load;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Returns when the first target holds more orders than before. */
async function untilMoved(rig: Rig): Promise<void> {
  const name = Object.keys(rig.targets)[0]!;
  const before = (await rig.countOrders(name)) ?? 0;
  const moved = async () => ((await rig.countOrders(name)) ?? 0) > before;
  await eventually(moved, { what: "orders that arrive", timeoutMs: 40_000, intervalMs: 50 });
}
