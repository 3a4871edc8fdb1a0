import { once } from "node:events";
import { isLockstepError } from "@lockstep/core";
import { freshPostgres, startProxy, type FaultProxy } from "@lockstep/testing";
import { expect } from "chai";
import { createStatusServer } from "../src/index.js";
import { openRig } from "./rig/status-rig.js";

describe("the server's end", () => {
  let proxy: FaultProxy;
  before(async () => {
    const database = await freshPostgres();
    proxy = await startProxy({ port: Number(new URL(database.url).port) });
    await database.drop();
  });
  afterEach(() => proxy.heal());
  after(() => proxy[Symbol.asyncDispose]());

  it("answers what is in flight first", async () => {
    const rig = await openRig({ via: (_, url) => proxy.url(url), limits: { askTimeoutMs: 1_500 } });
    await rig.get("/api/v1/status");
    proxy.blackHole();
    const arrived = once(rig.server.app.server, "request");
    const answer = rig.get("/api/v1/status");
    await arrived;
    const started = performance.now();
    await rig.server[Symbol.asyncDispose]();
    expect((await answer).status).to.equal(200);
    expect(performance.now() - started).to.be.lessThan(15_000);
    await proxy.heal();
    await rig.close();
  });

  it("waits no longer than its bound", async () => {
    const rig = await openRig({
      via: (_, url) => proxy.url(url),
      limits: { askTimeoutMs: 20_000, drainTimeoutMs: 300 },
    });
    await rig.get("/api/v1/status");
    proxy.blackHole();
    const arrived = once(rig.server.app.server, "request");
    const answer = rig.get("/api/v1/status").then(
      () => "answered",
      () => "cut",
    );
    await arrived;
    const started = performance.now();
    await rig.server[Symbol.asyncDispose]();
    expect(performance.now() - started).to.be.lessThan(15_000);
    expect(await answer).to.equal("cut");
    await proxy.heal();
    await rig.close();
  });
});

describe("the server's options", () => {
  const reader = {
    relay: async () => undefined,
    lanes: async () => [],
    targets: async () => [],
    reads: async () => [],
  };
  const schedule = { nudge: async () => undefined };
  const source = (name: string) => ({ name, reader, schedule, targets: [] });
  const wrong: [why: string, options: Parameters<typeof createStatusServer>[0]][] = [
    ["two sources of one name", { sources: [source("shop"), source("shop")] }],
    ["a name that ids couldn't be taken apart with", { sources: [source("shop~2")] }],
    ["an empty token", { sources: [], token: "" }],
  ];
  for (const [why, options] of wrong) {
    it(`are refused: ${why}`, async () => {
      const error: unknown = await createStatusServer({ ...options, port: 0 }).then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(isLockstepError(error, "CONFIG_INVALID")).to.equal(true);
    });
  }
});
