import { freshPostgres, startProxy, type FaultProxy } from "@lockstep/testing";
import { expect } from "chai";
import { openRig, type StatusRig } from "../rig/status-rig.js";

describe("the probes", () => {
  let proxy: FaultProxy;
  let rig: StatusRig;
  before(async () => {
    const database = await freshPostgres();
    proxy = await startProxy({ port: Number(new URL(database.url).port) });
    await database.drop();
    rig = await openRig({
      targets: ["reporting", "warehouse"],
      via: (target, url) => (target === "warehouse" ? proxy.url(url) : url),
      token: "a-token-of-some-length",
      limits: { askTimeoutMs: 2_000, requestsPerMinute: 2 },
    });
  });
  after(async () => {
    await rig.close();
    await proxy[Symbol.asyncDispose]();
  });

  it("answer without a token and beyond the rate limit", async () => {
    for (let n = 0; n < 5; n++) expect((await rig.get("/livez")).status).to.equal(200);
    const { status, body } = await rig.get("/readyz");
    expect(status).to.equal(200);
    expect(body).to.deep.equal({
      status: "ok",
      redis: { reachable: 1, total: 1 },
      targets: { reachable: 2, total: 2 },
    });
  });

  it("stay ready, degraded, while a target is away: what answers is served", async () => {
    proxy.blackHole();
    const { status, body } = await rig.get("/readyz");
    expect(status).to.equal(200);
    expect(body).to.deep.include({ status: "degraded", targets: { reachable: 1, total: 2 } });
    expect((await rig.get("/livez")).status).to.equal(200);
    await proxy.heal();
  });

  it("aren't ready when nothing answers", async () => {
    const database = await freshPostgres();
    const gone = await startProxy({ port: Number(new URL(database.url).port) });
    await gone.cut();
    const cutOff = await openRig({
      via: (_, url) => gone.url(url),
      redisVia: () => gone.url("redis://127.0.0.1:1"),
      limits: { askTimeoutMs: 300 },
    });
    try {
      const { status, body } = await cutOff.get("/readyz");
      expect(status).to.equal(503);
      expect(body).to.include({ status: "unavailable" });
      expect((await cutOff.get("/livez")).status).to.equal(200);
      expect((await cutOff.get("/api/v1/status")).status).to.equal(200);
    } finally {
      await cutOff.close();
      await gone[Symbol.asyncDispose]();
      await database.drop();
    }
  });
});
