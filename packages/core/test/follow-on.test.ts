import { expect } from "chai";
import { endOfTick, followOn, isLockstepError, type Position, type StreamEntry } from "../src/index.js";

function entry(previous: Position, id: Position, ordinals: readonly number[] = []): StreamEntry {
  return {
    id,
    previous,
    incarnation: "i",
    total: 0,
    endsTick: false,
    continues: false,
    transactions: ordinals.map((n) => ({ id: String(n), at: 0, events: 1 })),
    events: ordinals.map((ordinal) => ({ ordinal, op: "delete", schema: "s", key: `["${ordinal}"]` })),
  };
}

describe("followOn", () => {
  it("drops what is at or below the position", () => {
    const entries = [entry("0-0", "1-2", [1, 2]), entry("1-2", "2-1", [1])];
    expect(followOn("1-2", entries)).to.deep.equal([entries[1]]);
  });

  it("drops the applied events of an entry that straddles the position", () => {
    const [following] = followOn("3-2", [entry("3-0", "3-4", [1, 2, 3, 4])]);
    expect(following?.events.map((e) => e.ordinal)).to.deep.equal([3, 4]);
    expect(following?.transactions.map((t) => t.id)).to.deep.equal(["3", "4"]);
    expect(following?.previous).to.equal("3-2");
  });

  it("takes the next tick after the end of a tick, however many events it had", () => {
    expect(followOn(endOfTick(4), [entry("4-17", "5-1", [1])])).to.have.length(1);
  });

  it("reports a hole before the first entry", () => {
    expect(() => followOn("1-2", [entry("2-1", "3-1", [1])]))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_GAP"));
  });

  it("reports a hole between entries", () => {
    const entries = [entry("1-2", "2-1", [1]), entry("2-2", "3-1", [1])];
    expect(() => followOn("1-2", entries))
      .to.throw()
      .that.satisfies((e: unknown) => isLockstepError(e, "STREAM_GAP"));
  });
});
