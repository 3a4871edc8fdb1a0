import type { Job } from "@lockstep/core";
import { expect } from "chai";
import { isForConsumers } from "../../src/kind/job-kinds.js";

const job = (kind: string, by: string, options: object = {}): Job => ({
  id: "1",
  kind,
  options,
  progress: {},
  state: "running",
  startedAt: 0,
  movedAt: 0,
  origin: { by },
});

describe("jobs that no process has", () => {
  it("are taken up by consumers, but for passes without end that a command makes, and kinds of a newer version", () => {
    expect(isForConsumers(job("full", "command"))).to.equal(true);
    expect(isForConsumers(job("incremental", "command"))).to.equal(true);
    expect(isForConsumers(job("incremental", "command", { everyMs: 500 }))).to.equal(false);
    expect(isForConsumers(job("incremental", "ada", { everyMs: 500 }))).to.equal(true);
    expect(isForConsumers(job("teleport", "ada"))).to.equal(false);
  });
});
