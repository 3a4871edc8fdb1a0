import type { Checkpoint, RelayReport } from "@lockstep/core";
import { expect } from "chai";
import { LaneStatus } from "../../src/report/lane-status.js";
import { openLedger } from "../../src/write/ledger.js";

const identity = { source: "s", target: "t", partition: 0, owner: "host:1" };
const checkpoint: Checkpoint = {
  position: "5-1",
  epoch: 1,
  incarnation: "i",
  total: 10,
  recordsSynced: 9,
  seeded: false,
  paused: false,
  restarts: 0,
};
const relay: RelayReport = {
  source: "s",
  relay: "r",
  incarnation: "i",
  partitions: 1,
  leader: true,
  at: 0,
  published: "5-1",
  total: 10,
  backlogEvents: 0,
  backlogOldestMs: 0,
};

function statusAt(clock: { now: number }): LaneStatus {
  const status = new LaneStatus(identity, { now: () => clock.now, elapsed: () => clock.now });
  status.phase = { name: "running" };
  status.checkpoint = checkpoint;
  status.relay = relay;
  return status;
}

describe("LaneStatus", () => {
  it("has no lag when it is caught up", () => {
    const clock = { now: 1_000 };
    expect(statusAt(clock).report()).deep.include({ lagMs: 0, eventsBehind: 0, state: "running", total: 10 });
  });

  it("has the age of the oldest change that isn't applied", () => {
    const clock = { now: 1_000 };
    const status = statusAt(clock);
    status.relay = { ...relay, published: "7-1", total: 14 };
    status.oldestAt = () => 400;
    expect(status.report()).deep.include({ lagMs: 600, eventsBehind: 4 });
  });

  it("counts from when it was last caught up while it can read nothing", () => {
    const clock = { now: 1_000 };
    const status = statusAt(clock);
    status.report();
    clock.now = 5_000;
    status.relay = { ...relay, published: "7-1", total: 14 };
    expect(status.report().lagMs).equal(4_000);
  });

  it("doesn't call a distance 0 that nobody knows while the relay is silent", () => {
    const clock = { now: 1_000 };
    const status = statusAt(clock);
    status.report();
    status.relay = undefined;
    clock.now = 60_000;
    expect(status.report()).deep.include({ lagMs: null, eventsBehind: null, state: "running" });
    status.oldestAt = () => 59_000;
    expect(status.report()).deep.include({ lagMs: 1_000, eventsBehind: null });
    status.oldestAt = () => undefined;
    status.relay = { ...relay, published: "7-1", total: 14 };
    expect(status.report()).deep.include({ lagMs: 59_000, eventsBehind: 4 });
  });

  it("is stalled when it is behind and gets nowhere", () => {
    const clock = { now: 0 };
    const status = statusAt(clock);
    status.oldestAt = () => 0;
    clock.now = 20_000;
    expect(status.report().state).equal("running");
    clock.now = 31_000;
    expect(status.report().state).equal("stalled");
    status.applied(checkpoint, 1, []);
    expect(status.report().state).equal("running");
  });

  it("keeps the last ten errors, newest first, and counts all", () => {
    const clock = { now: 0 };
    const status = statusAt(clock);
    const errors = Array.from({ length: 12 }, (_, i) => ({
      table: "t",
      key: `["${i}"]`,
      code: "TARGET_CHECK",
      at: i,
    }));
    status.refused({ ...openLedger(), errors });
    status.refused({ ...openLedger(), errors: [{ table: "t", key: "last", code: "TARGET_CHECK", at: 99 }] });
    const report = status.report();
    expect(report.errorCount).equal(13);
    expect(report.lastErrors.map(({ key }) => key)).deep.equal([
      "last",
      ...[11, 10, 9, 8, 7, 6, 5, 4, 3].map((i) => `["${i}"]`),
    ]);
  });

  it("names a failure of the lane once, however often it is tried again, and keeps the rows' errors", () => {
    const clock = { now: 0 };
    const status = statusAt(clock);
    const ofRow = { table: "t", key: '["1"]', code: "TARGET_CHECK", at: 1 };
    status.refused({ ...openLedger(), errors: [ofRow] });
    for (clock.now = 2; clock.now < 30; clock.now++) status.failed("TARGET_UNAVAILABLE");
    const ofLane = { table: null, key: null, code: "TARGET_UNAVAILABLE", at: 29 };
    expect(status.report()).deep.include({ errorCount: 29, lastErrors: [ofLane, ofRow] });
  });

  it("tells rows a second and latencies", () => {
    const clock = { now: 10_000 };
    const status = statusAt(clock);
    clock.now = 12_000;
    status.applied(checkpoint, 500, [
      { id: "1", at: 11_990, events: 1 },
      { id: "2", at: 11_980, events: 1 },
    ]);
    expect(status.report()).deep.include({ rowsPerSecond: 250, latencyMs: { p50: 20, p99: 20 } });
  });
});
