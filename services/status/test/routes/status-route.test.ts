import { freshPostgres, freshRedis, startProxy, type FaultProxy } from "@lockstep/testing";
import { expect } from "chai";
import type { StatusView } from "../../src/status/status-schema.js";
import { openRig, type StatusRig } from "../rig/status-rig.js";

describe("GET /api/v1/status", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig({ targets: ["reporting", "warehouse"] });
    await rig.setAside("reporting", [{}]);
  });
  after(() => rig.close());

  it("shows relay, lanes and targets from Redis and the targets together", async () => {
    await rig.reportRelay();
    await rig.reportLane();
    await rig.reportReads({
      process: "app/1",
      replicas: { reporting: { state: "in", lagMs: 12, reads: 7 } },
      primary: { reads: 1, reasons: { behind: 1 } },
    });
    const { status, body } = await rig.get("/api/v1/status");
    expect(status).to.equal(200);
    const view = body as unknown as StatusView;
    const [shop] = view.sources;
    expect(shop!.relay).to.include({
      state: "leading",
      leader: "app/1",
      publishedPosition: "9-1",
      outboxEventsWaiting: 12,
      outboxOldestMs: 340,
    });
    expect(shop!.targets.map((t) => [t.name, t.reachable])).to.deep.equal([
      ["reporting", true],
      ["warehouse", true],
    ]);
    expect(shop!.targets[0]!.letters).to.include({ dead: 1 });
    expect(shop!.targets[0]!.address).to.match(/^[^@]+$/);
    expect(shop!.lanes).to.have.length(1);
    expect(shop!.lanes[0]).to.include({
      id: "shop~reporting~0",
      state: "running",
      checkpoint: "8-1",
      lagMs: 340,
      eventsBehind: 10,
      rowsPerSecond: 55.5,
      recordsSynced: 880,
      errorCount: 2,
      seeded: false,
      pauseRequested: false,
    });
    expect(shop!.lanes[0]!.lastErrors[0]).to.include({
      table: "public.customers",
      key: '["1"]',
      code: "TARGET_CHECK",
    });
    expect(shop!.reads).to.deep.equal({
      processes: 1,
      replicas: [{ name: "reporting", states: { in: 1 }, reasons: [], lagMs: 12, reads: 7 }],
      primary: { reads: 1, reasons: { behind: 1 } },
    });
    expect(view.state).to.equal("ok");
  });

  it("is never stored on the way", async () => {
    expect((await rig.get("/api/v1/status")).headers.get("cache-control")).to.equal("no-store");
  });

  it("holds no row value", async () => {
    const { body } = await rig.get("/api/v1/status");
    expect(JSON.stringify(body)).to.not.include("ada@example.com");
  });
});

describe("GET /api/v1/status with something down", () => {
  const askTimeoutMs = 1_500;
  let proxy: FaultProxy;
  let rig: StatusRig;
  before(async () => {
    const database = await freshPostgres();
    proxy = await startProxy({ port: Number(new URL(database.url).port) });
    await database.drop();
    rig = await openRig({
      targets: ["reporting", "warehouse"],
      via: (target, url) => (target === "warehouse" ? proxy.url(url) : url),
      limits: { askTimeoutMs },
    });
    for (const target of ["reporting", "warehouse"]) await rig.setAside(target, [{}]);
  });
  afterEach(() => proxy.heal());
  after(async () => {
    await rig.close();
    await proxy[Symbol.asyncDispose]();
  });

  const reach = (view: StatusView) => view.sources[0]!.targets.map((t) => [t.name, t.reachable]);

  for (const fault of ["cut", "blackHole"] as const) {
    it(`answers in bounded time when a target is gone (${fault}), and shows the others`, async () => {
      await proxy[fault]();
      const started = performance.now();
      const { status, body } = await rig.get("/api/v1/status");
      expect(performance.now() - started).to.be.lessThan(askTimeoutMs + 15_000);
      expect(status).to.equal(200);
      const view = body as unknown as StatusView;
      expect(reach(view)).to.deep.equal([
        ["reporting", true],
        ["warehouse", false],
      ]);
      expect(view.state).to.equal("degraded");
      const trouble = view.troubles.find((t) => t.about === "target warehouse");
      expect(trouble).to.include({ code: "TARGET_UNAVAILABLE" });
      expect(trouble!.hint).to.be.a("string");
    });
  }

  it("sees a target again when it is back", async () => {
    proxy.blackHole();
    await rig.get("/api/v1/status");
    await proxy.heal();
    const deadline = performance.now() + 60_000;
    let view: StatusView;
    do view = (await rig.get("/api/v1/status")).body as unknown as StatusView;
    while (!view.sources[0]!.targets[1]!.reachable && performance.now() < deadline);
    expect(reach(view)[1]).to.deep.equal(["warehouse", true]);
  });
});

describe("GET /api/v1/status while Redis is away", () => {
  it("shows what the targets tell", async () => {
    const real = await freshRedis();
    const proxy = await startProxy({ port: Number(new URL(real.url).port) });
    const rig = await openRig({ limits: { askTimeoutMs: 1_500 }, redisVia: (url) => proxy.url(url) });
    try {
      await rig.setAside("reporting", [{}]);
      await rig.get("/api/v1/status");
      await proxy.cut();
      const { status, body } = await rig.get("/api/v1/status");
      const view = body as unknown as StatusView;
      expect(status).to.equal(200);
      expect(view.troubles.map((t) => t.code)).to.include("STREAM_UNAVAILABLE");
      expect(view.sources[0]!.relay.state).to.equal("unknown");
      expect(view.sources[0]!.targets[0]!.letters).to.include({ dead: 1 });
      expect(view.sources[0]!.lanes[0]).to.include({ state: "stalled" });
    } finally {
      await rig.close();
      await proxy[Symbol.asyncDispose]();
      await real.drop();
    }
  });
});
