import { LockstepError, type Position, positionOf } from "@lockstep/core";
import { expect } from "chai";
import { Flow } from "../../src/full/flow.js";

describe("the flow of a full sync", () => {
  let committed: number;
  let applied: number;
  let isSilent: boolean;
  const flowOf = (maxAheadRows = 100): Flow => {
    committed = applied = 0;
    isSilent = false;
    return new Flow({
      barrier: async (): Promise<Position> => {
        if (isSilent) throw new LockstepError("RELAY_SILENT", "no tick was cut");
        return positionOf(committed, 0);
      },
      reached: async () => positionOf(applied, 0),
      maxAheadRows,
      sleep: async () => undefined,
    });
  };
  const send = (flow: Flow, rows: number): void => {
    committed += rows;
    flow.sent(rows);
  };

  it("has room until so many rows are on their way, and again when the targets have passed them", async () => {
    const flow = flowOf();
    for (let i = 0; i < 10; i++) {
      expect(await flow.hasRoom()).to.equal(true);
      send(flow, 10);
    }
    expect(await flow.hasRoom()).to.equal(false);
    applied = 60;
    expect(await flow.hasRoom()).to.equal(true);
  });

  it("waits while nobody publishes, says so, and goes on by itself", async () => {
    const flow = flowOf();
    isSilent = true;
    send(flow, 100);
    expect(await flow.hasRoom()).to.equal(false);
    expect(flow.trouble).to.equal("RELAY_SILENT");
    isSilent = false;
    applied = 100;
    expect(await flow.hasRoom()).to.equal(true);
    expect(flow.trouble).to.equal(undefined);
  });

  it("is settled when the targets have passed everything, also when nothing was sent", async () => {
    const flow = flowOf();
    expect(await flow.hasSettled()).to.equal(true);
    send(flow, 40);
    applied = 39;
    expect(await flow.hasSettled()).to.equal(false);
    applied = 40;
    expect(await flow.hasSettled()).to.equal(true);
  });

  it("is not settled while nobody can say where the end is, also when a process before it has sent everything", async () => {
    const flow = flowOf();
    isSilent = true;
    committed = 40;
    expect(await flow.hasSettled()).to.equal(false);
    isSilent = false;
    expect(await flow.hasSettled()).to.equal(false);
    applied = 40;
    expect(await flow.hasSettled()).to.equal(true);
  });
});
