import { LockstepError, type Position } from "@lockstep/core";
import { expect } from "chai";
import { appliedIn, type AppliedTarget } from "../../src/applied/when-applied.js";

describe("waiting for a target", () => {
  const barrier = async () => ({ position: "1-1" as Position, incarnation: "i" });
  const lane = { source: "shop", partition: 0, position: "1-1", incarnation: "i" };
  const targetWith = (list: AppliedTarget["letters"]["list"]): AppliedTarget => ({
    name: "reporting",
    checkpoints: async () => [lane] as unknown as Awaited<ReturnType<AppliedTarget["checkpoints"]>>,
    letters: { list } as AppliedTarget["letters"],
    close: async () => undefined,
  });
  const rows = [{ table: "customer", key: [1] }];

  it("asks again while the source can't say where it is", async () => {
    let asked = 0;
    const source = {
      source: "shop",
      partitions: 1,
      barrier: () => (asked++ === 0 ? Promise.reject(new LockstepError("RELAY_SILENT", "none")) : barrier()),
    };
    const { whenApplied } = appliedIn(source, [targetWith(async () => ({ letters: [] }))]);
    expect(await whenApplied("reporting", { timeoutMs: 20_000 })).to.equal("applied");
  });

  for (const [what, list] of [
    ["fails", () => Promise.reject(new Error("gone"))],
    ["doesn't answer", () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`gives up in time on a target whose letters it asks for, and which ${what}`, async () => {
      const { whenApplied } = appliedIn({ source: "shop", partitions: 1, barrier }, [targetWith(list)]);
      expect(await whenApplied("reporting", { timeoutMs: 20, rows })).to.equal("timed-out");
    });
  }
});
