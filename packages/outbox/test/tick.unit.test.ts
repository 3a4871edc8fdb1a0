import { expect } from "chai";
import { groupTicks, tickMemory } from "../src/tick.js";

describe("grouping ticks", () => {
  const groups = (events: number[], page: number): number[][] =>
    groupTicks(
      events.map((e) => ({ events: e })),
      page,
    ).map((group) => group.map((tick) => tick.events));

  it("puts ticks together as long as they fit a page", () => {
    expect(groups([1, 2, 3, 4], 6)).to.deep.equal([[1, 2, 3], [4]]);
    expect(groups([], 6)).to.deep.equal([]);
  });

  it("counts rows where they are known: what is packed fits", () => {
    const packed = [{ events: 900, rows: 3 }, { events: 900, rows: 3 }, { events: 4 }];
    expect(groupTicks(packed, 6)).to.deep.equal([packed.slice(0, 2), packed.slice(2)]);
  });

  it("leaves a tick larger than a page alone", () => {
    expect(groups([1, 9, 1, 1], 5)).to.deep.equal([[1], [9], [1, 1]]);
    expect(groups([9, 9], 5)).to.deep.equal([[9], [9]]);
  });
});

describe("the memory of ticks", () => {
  const tick = (n: number): { n: bigint; events: number; total: number } => ({
    n: BigInt(n),
    events: 2,
    total: 2 * n,
  });

  it("gives what follows the end of a remembered tick, up to the first hole", () => {
    const ticks = tickMemory();
    for (const n of [1, 2, 3, 5]) ticks.remember(tick(n));
    expect(ticks.after(1n, 2n).map((t) => t.n)).to.deep.equal([2n, 3n]);
    expect(ticks.after(3n, 2n)).to.deep.equal([]);
  });

  it("gives nothing from inside a tick or behind one it doesn't know", () => {
    const ticks = tickMemory();
    for (const n of [1, 2]) ticks.remember(tick(n));
    expect(ticks.after(1n, 1n)).to.deep.equal([]);
    expect(ticks.after(0n, 0n)).to.deep.equal([]);
  });

  it("forgets the oldest", () => {
    const ticks = tickMemory();
    for (let n = 1; n <= 3_000; n++) ticks.remember(tick(n));
    expect(ticks.after(1n, 2n)).to.deep.equal([]);
    expect(ticks.after(2_998n, 2n).map((t) => t.n)).to.deep.equal([2_999n, 3_000n]);
  });
});
