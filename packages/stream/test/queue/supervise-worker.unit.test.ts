import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { isStuck, superviseWorker } from "../../src/queue/supervise-worker.js";

interface FakeWorker {
  progressAt: number;
  closed: boolean;
}

function supervised(overdueMs: () => Promise<number | undefined>) {
  const workers: FakeWorker[] = [];
  let replaced = 0;
  const supervisor = superviseWorker({
    open() {
      const worker: FakeWorker = { progressAt: performance.now(), closed: false };
      workers.push(worker);
      return {
        lastProgressAt: () => worker.progressAt,
        close: async () => void (worker.closed = true),
      };
    },
    overdueMs,
    everyMs: 10,
    onReplaced: () => replaced++,
  });
  return { workers, supervisor, replaced: () => replaced };
}

describe("supervised worker", () => {
  it("is stuck only when a job is long due and nothing moves", () => {
    expect(isStuck(20, 20, 10)).to.equal(true);
    expect(isStuck(20, 5, 10)).to.equal(false);
    expect(isStuck(5, 20, 10)).to.equal(false);
  });

  it("is replaced when it takes no due job", async () => {
    const { workers, supervisor, replaced } = supervised(async () => 1_000);
    await eventually(async () => replaced() > 0);
    expect(workers[0]?.closed).to.equal(true);
    await supervisor.close();
    expect(workers.every((w) => w.closed)).to.equal(true);
  });

  it("stays when nothing is due, and when Redis can't be asked", async () => {
    let asked = 0;
    const { workers, supervisor } = supervised(async () => {
      if (++asked % 2 === 0) throw new Error("away");
      return undefined;
    });
    await eventually(async () => asked > 5);
    expect(workers).to.have.length(1);
    await supervisor.close();
  });
});
