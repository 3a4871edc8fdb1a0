import { expect } from "chai";
import { benchCapture } from "../src/capture.js";
import { benchDualWrite } from "../src/dual-write.js";
import { benchEndToEnd } from "../src/end-to-end.js";
import { benchPublisher } from "../src/publisher.js";
import { benchSnapshot } from "../src/snapshot.js";
import { benchVerify } from "../src/verify.js";

const quiet = () => undefined;

// The short form: that the comparisons run and give figures. What the figures are is for a quiet machine.
describe("benches", () => {
  it("end-to-end: both contenders drain the same backlog", async () => {
    const sizes = { rounds: 1, events: 2000, rowsPerTransaction: 10, latencySeconds: 2 };
    const result = await benchEndToEnd(sizes, quiet);
    expect(result.ratioToNative.median).to.be.greaterThan(0);
    expect(result.latencyMs.p50).to.be.greaterThan(0);
    expect(result.rssMb.consumer).to.be.greaterThan(10);
  });

  it("capture: every way, with and without", async () => {
    const { ratio } = await benchCapture(1, quiet, 0.005);
    for (const { single, bulk } of Object.values(ratio)) {
      expect(single.median).to.be.greaterThan(0);
      expect(bulk.lowerQuartile).to.be.greaterThan(0);
      expect(bulk.behindMs.min).to.be.at.least(0);
    }
  });

  it("snapshot: a full sync of a table, beside pg_dump where it is installed", async () => {
    const { rowsPerSecond, ratioToPgDump } = await benchSnapshot(
      { rounds: 1, rows: 2_000, fromMariaDb: false },
      quiet,
    );
    expect(rowsPerSecond.median).to.be.greaterThan(0);
    if (ratioToPgDump !== null) expect(ratioToPgDump.median).to.be.greaterThan(0);
  });

  it("publisher: every kind of write, with and without", async () => {
    const result = await benchPublisher(1, quiet, 0.05);
    for (const ratio of [result.save, result.tx20, result.update, result.batch100, result.mariadb.save]) {
      expect(ratio.median).to.be.greaterThan(0);
    }
  });

  it("dual-write: both ways, with and without faults", async () => {
    const { saveMs, underFaults } = await benchDualWrite({ rounds: 1, seconds: 1 }, quiet);
    expect(saveMs.lockstep.p50).to.be.greaterThan(0);
    expect(underFaults.lockstep).to.deep.equal({ failedSaves: 0, differingRows: 0 });
    expect(underFaults.naive.failedSaves).to.be.greaterThan(0);
    expect(underFaults.naive.differingRows).to.be.greaterThan(0);
  });

  it("verify: both engines, and what others do", async () => {
    const { rowsPerSecond, peers } = await benchVerify({ rounds: 1, rows: 3_000 }, quiet);
    for (const spread of [...Object.values(rowsPerSecond), ...Object.values(peers)]) {
      expect(spread.median).to.be.greaterThan(0);
    }
  });
});
