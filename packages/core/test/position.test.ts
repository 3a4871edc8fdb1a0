import { expect } from "chai";
import fc from "fast-check";
import {
  comparePositions,
  earlier,
  endOfTick,
  parsePosition,
  positionOf,
  splitPosition,
  startPosition,
} from "../src/index.js";

const part = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("position", () => {
  it("orders by tick, then by ordinal, beyond what a double holds", () => {
    fc.assert(
      fc.property(part, part, part, part, (t1, n1, t2, n2) => {
        const wanted = t1 === t2 ? (n1 === n2 ? 0 : n1 < n2 ? -1 : 1) : t1 < t2 ? -1 : 1;
        expect(comparePositions(positionOf(t1, n1), positionOf(t2, n2))).to.equal(wanted);
      }),
    );
  });

  it("splits what it joined", () => {
    expect(splitPosition(positionOf(3, 2n ** 63n))).to.deep.equal({ tick: 3n, n: 2n ** 63n });
  });

  it("puts the end of a tick behind its events and before the next tick", () => {
    expect(earlier(endOfTick(2), positionOf(2, 999999))).to.equal("2-999999");
    expect(earlier(endOfTick(2), positionOf(3, 1))).to.equal(endOfTick(2));
  });

  for (const text of ["", "1", "1-", "-1", "a-1", "1-1-1", "1-18446744073709551616"]) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(() => parsePosition(text)).to.throw(TypeError));
  }

  it("accepts the start", () => expect(parsePosition("0-0")).to.equal(startPosition));
});
