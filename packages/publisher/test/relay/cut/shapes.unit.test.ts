import { startPosition, type LoggedPack } from "@lockstep/core";
import { shapesOf } from "@lockstep/testing";
import { expect } from "chai";
import { Sequencer } from "../../../src/capture/wal/pgoutput/sequencer.js";
import { openCutter } from "../../../src/relay/cut/entry-cutter.js";

/** By then the code is optimized. */
const ticks = 30_000;
const table = { namespace: "public", name: "item" };

function pack(n: number): LoggedPack {
  const place = { tick: BigInt(n), endsTransaction: true, endsTick: true, total: n };
  const transaction = { id: String(n), at: n };
  return { ordinal: 1, count: 1, schema: "s", lines: 'i["1"]\t["1"]', table, transaction, ...place };
}

describe("what a relay makes of each transaction", () => {
  it("has the same shape, however often it was made", () => {
    const cutter = openCutter({ incarnation: "i", starts: [startPosition], maxEvents: 500, maxBytes: 1e6 });
    const made: object[] = [];
    for (let n = 1; n <= ticks; n++) {
      const [cut] = cutter.cut([pack(n)]);
      if (n % 1000 === 0) made.push(cut!.entry.transactions[0]!);
    }
    expect(shapesOf(made)).to.equal(1);
  });

  it("is of one shape out of the log, too", () => {
    const made: object[] = [];
    const sequencer = new Sequencer(
      { changes: (changes) => changes.total % 1000 === 0 && made.push(changes), began: () => undefined },
      0,
    );
    for (let n = 1; n <= ticks; n++) {
      sequencer.begin(BigInt(n), { id: String(n), at: n });
      sequencer.alone({ op: "insert", schema: "s", table, key: '["1"]', image: '["1"]' });
      sequencer.commit();
    }
    expect(made).to.have.length(ticks / 1000);
    expect(shapesOf(made)).to.equal(1);
  });
});
