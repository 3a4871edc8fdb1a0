import type { ReadsReport } from "@lockstep/core";
import { expect } from "chai";
import { readsView } from "../../src/status/reads-view.js";

const report = (process: string, near: ReadsReport["replicas"][string], behind: number): ReadsReport => ({
  process,
  replicas: { near },
  primary: { reads: behind + 1, reasons: { behind, asked: 1 } },
});

describe("where reads go", () => {
  it("is nobody's word when no process says it", () => {
    expect(readsView([])).to.equal(null);
  });

  it("is told together, of all processes and of replicas that only some have", () => {
    const away = { state: "down", reason: "connect ECONNREFUSED", reads: 1 };
    const only: ReadsReport = {
      process: "c/1",
      replicas: { constructor: { state: "unknown", reads: 0 } },
      primary: { reads: 0, reasons: {} },
    };
    const view = readsView([
      report("a/1", { state: "in", lagMs: 20, reads: 10 }, 2),
      report("b/1", { state: "in", lagMs: 30, reads: 5 }, 3),
      report("b/2", away, 0),
      report("b/3", away, 0),
      only,
    ]);
    expect(view).to.deep.equal({
      processes: 5,
      replicas: [
        { name: "constructor", states: { unknown: 1 }, reasons: [], lagMs: null, reads: 0 },
        {
          name: "near",
          states: { in: 2, down: 2 },
          reasons: ["connect ECONNREFUSED"],
          lagMs: 30,
          reads: 17,
        },
      ],
      primary: { reads: 9, reasons: { behind: 5, asked: 4 } },
    });
  });
});
