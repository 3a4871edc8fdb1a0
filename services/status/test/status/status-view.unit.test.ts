import { type LaneReport, LockstepError, type RelayReport } from "@lockstep/core";
import { expect } from "chai";
import { maskOf } from "@lockstep/core";
import { readiness } from "../../src/routes/probes-route.js";
import type { LaneCheckpoint, SourceObservation } from "../../src/status/observe.js";
import { statusView } from "../../src/status/status-view.js";

const relay: RelayReport = {
  source: "shop",
  relay: "host/1",
  incarnation: "i",
  partitions: 1,
  leader: true,
  at: 1000,
  published: "9-1",
  total: 900,
  backlogEvents: 12,
  backlogOldestMs: 340,
};
const lane: LaneReport = {
  source: "shop",
  target: "reporting",
  targetId: "id",
  partition: 0,
  owner: "host/2",
  at: 1000,
  state: "running",
  position: "8-1",
  total: 890,
  lagMs: 340,
  eventsBehind: 10,
  rowsPerSecond: 55.5,
  latencyMs: { p50: 4, p99: 11 },
  lastSyncAt: 990,
  recordsSynced: 880,
  errorCount: 1,
  letters: { dead: 1 },
  lastErrors: [{ table: "public.orders", key: '["7"]', code: "TARGET_CHECK", at: 900 }],
  seeded: false,
};
const checkpoint: LaneCheckpoint = {
  source: "shop",
  partition: 0,
  position: "8-1",
  epoch: 1,
  incarnation: "i",
  total: 890,
  recordsSynced: 880,
  seeded: false,
  paused: false,
  restarts: 0,
};
const letters = { retrying: 0, due: 0, waiting: 0, dead: 1, applied: 0, superseded: 0, discarded: 0 };
const target = { name: "reporting", target: { address: "db:5432/reporting" } };
const announced = [{ id: "id", name: "reporting", address: "db:5432/reporting", partition: 0 }];
const away = (code: "TARGET_UNAVAILABLE" | "STREAM_UNAVAILABLE") => ({
  ok: false as const,
  error: new LockstepError(code, "silent"),
});
const healthy: SourceObservation = {
  source: { name: "shop" },
  redis: { ok: true, value: { relay, lanes: [lane], announced, reads: [] } },
  targets: [{ target, answer: { ok: true, value: { checkpoints: [checkpoint], letters } } }],
};
const shade = { mask: maskOf([]), schemas: { find: async () => undefined, latest: () => undefined } };
const see = (observation: SourceObservation) => statusView([observation], shade, 2000);

describe("the status", () => {
  it("is ok when everything runs, dead letters or not", () => {
    const view = see(healthy);
    expect(view).to.include({ state: "ok", at: "1970-01-01T00:00:02.000Z" });
    expect(view.troubles).to.deep.equal([]);
    expect(view.sources[0]!.relay).to.include({
      state: "leading",
      leader: "host/1",
      outboxEventsWaiting: 12,
    });
    expect(view.sources[0]!.lanes[0]).to.deep.include({
      id: "shop~reporting~0",
      state: "running",
      reason: null,
      lagMs: 340,
      eventsBehind: 10,
      lastSyncAt: "1970-01-01T00:00:00.990Z",
      recordsSynced: 880,
      errorCount: 1,
      seeded: false,
    });
    expect(view.sources[0]!.lanes[0]!.lastErrors[0]).to.include({ table: "public.orders", key: '["7"]' });
  });

  it("shows a lane that nobody works on by its checkpoint", () => {
    const view = see({
      ...healthy,
      redis: { ok: true, value: { relay, lanes: [], announced: [], reads: [] } },
    });
    expect(view.state).to.equal("degraded");
    expect(view.sources[0]!.lanes[0]).to.include({
      state: "stalled",
      checkpoint: "8-1",
      eventsBehind: 10,
      lagMs: null,
      owner: null,
    });
    expect(view.troubles[0]).to.include({ code: "LANE_UNOWNED", about: "shop~reporting~0" });
  });

  it("doesn't call a lane that a person paused a trouble", () => {
    const reason = { code: "PAUSED", message: "A person paused this lane." };
    const paused = { ...lane, state: "paused" as const, reason };
    const view = see({
      ...healthy,
      redis: { ok: true, value: { relay, lanes: [paused], announced, reads: [] } },
    });
    expect(view.state).to.equal("ok");
    const unowned = see({
      ...healthy,
      redis: { ok: true, value: { relay, lanes: [], announced, reads: [] } },
      targets: [
        { target, answer: { ok: true, value: { checkpoints: [{ ...checkpoint, paused: true }], letters } } },
      ],
    });
    expect(unowned.state).to.equal("ok");
    expect(unowned.sources[0]!.lanes[0]).to.include({ state: "paused", pauseRequested: true });
  });

  it("calls a lane that paused by itself a trouble", () => {
    const reason = { code: "TARGET_UNAVAILABLE", message: "connection refused" };
    const paused = { ...lane, state: "paused" as const, reason };
    const view = see({
      ...healthy,
      redis: { ok: true, value: { relay, lanes: [paused], announced, reads: [] } },
    });
    expect(view.troubles).to.have.length(1);
    expect(view.troubles[0]).to.include({ code: "TARGET_UNAVAILABLE", detail: "connection refused" });
  });

  it("still shows an announced lane whose target is away, and why", () => {
    const view = see({
      ...healthy,
      redis: { ok: true, value: { relay, lanes: [], announced, reads: [] } },
      targets: [{ target, answer: away("TARGET_UNAVAILABLE") }],
    });
    expect(view.sources[0]!.targets[0]).to.include({ reachable: false, letters: null });
    expect(view.sources[0]!.lanes[0]).to.deep.include({ state: "stalled", checkpoint: null });
    expect(view.troubles.map((t) => t.about)).to.deep.equal(["target reporting", "shop~reporting~0"]);
  });

  it("shows what the targets tell while Redis is away", () => {
    const view = see({ ...healthy, redis: away("STREAM_UNAVAILABLE") });
    expect(view.sources[0]!.relay.state).to.equal("unknown");
    expect(view.sources[0]!.lanes[0]).to.deep.include({
      state: "stalled",
      checkpoint: "8-1",
      recordsSynced: 880,
    });
    expect(view.sources[0]!.lanes[0]!.reason).to.include({ code: "STREAM_UNAVAILABLE" });
  });

  it("names a source that no relay leads", () => {
    const view = see({
      ...healthy,
      redis: { ok: true, value: { relay: undefined, lanes: [lane], announced, reads: [] } },
    });
    expect(view.sources[0]!.relay.state).to.equal("silent");
    expect(view.troubles[0]).to.include({ code: "RELAY_SILENT", about: "source shop" });
  });

  it("names what a source's capture lacks", () => {
    const value = healthy.redis.ok ? healthy.redis.value : undefined;
    const lacking = { ...value!.relay!, captureFindings: ["public.item has no capture triggers"] };
    const view = see({ ...healthy, redis: { ok: true, value: { ...value!, relay: lacking } } });
    expect(view.state).to.equal("degraded");
    expect(view.troubles).to.have.length(1);
    expect(view.troubles[0]).to.include({ code: "CAPTURE_INCOMPLETE", about: "source shop" });
  });

  it("leaves other sources' checkpoints in a shared target out", () => {
    const other = { ...checkpoint, source: "audit", partition: 5 };
    const view = see({
      ...healthy,
      targets: [{ target, answer: { ok: true, value: { checkpoints: [checkpoint, other], letters } } }],
    });
    expect(view.sources[0]!.lanes).to.have.length(1);
  });

  it("hides keys that may be masked", () => {
    const view = statusView([healthy], { ...shade, mask: maskOf(["orders.email"]) }, 2000);
    expect(view.sources[0]!.lanes[0]!.lastErrors[0]!.key).to.equal('["***"]');
  });
});

describe("readiness", () => {
  it("is ok, degraded or unavailable by what answers", () => {
    expect(readiness([healthy]).status).to.equal("ok");
    const half = { ...healthy, redis: away("STREAM_UNAVAILABLE") };
    expect(readiness([half])).to.deep.equal({
      status: "degraded",
      redis: { reachable: 0, total: 1 },
      targets: { reachable: 1, total: 1 },
    });
    const none = { ...half, targets: [{ target, answer: away("TARGET_UNAVAILABLE") }] };
    expect(readiness([none]).status).to.equal("unavailable");
  });

  it("counts a target of two sources once", () => {
    expect(readiness([healthy, healthy]).targets).to.deep.equal({ reachable: 1, total: 1 });
  });
});
