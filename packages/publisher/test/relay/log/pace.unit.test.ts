import { expect } from "chai";
import { Pace } from "../../../src/relay/log/pace.js";

describe("the pace of a relay", () => {
  /** Looks that follow each other at once, or after the rest; each takes `tookMs` and finds what came since. Gives the rests. */
  const restsAt = (perMs: number, { tookMs = 1, looks = 30, gapMs = 0 } = {}): number[] => {
    const pace = new Pace(10);
    const rests: number[] = [];
    for (let [at, seen] = [0, 0]; rests.length < looks;) {
      const came = Math.floor(at * perMs);
      const rest = pace.restAfter({ began: at, ended: at + tookMs, transactions: came - seen });
      rests.push(rest);
      seen = came;
      at += tookMs + Math.max(rest, gapMs);
    }
    return rests;
  };

  it("rests while transactions come faster than one in two milliseconds, until the rest is over since the look began", () => {
    expect(restsAt(2).slice(-5)).to.deep.equal([9, 9, 9, 9, 9]);
    expect(restsAt(0.7, { tookMs: 3 }).slice(-5)).to.deep.equal([7, 7, 7, 7, 7]);
  });

  it("finds out also where each look finds one only", () => {
    expect(restsAt(1).at(-1)).to.equal(9);
  });

  it("doesn't rest where they come more slowly", () => {
    expect(new Set(restsAt(0.2, { gapMs: 4 }))).to.deep.equal(new Set([0]));
    expect(new Set(restsAt(0.2))).to.deep.equal(new Set([0]));
  });

  it("doesn't rest after a look that took longer", () => {
    expect(restsAt(5, { tookMs: 50 }).at(-1)).to.equal(0);
  });

  it("rests no more when they have become fewer", () => {
    const pace = new Pace(10);
    pace.restAfter({ began: 0, ended: 1, transactions: 1 });
    expect(pace.restAfter({ began: 1, ended: 12, transactions: 50 })).to.equal(0);
    expect(pace.restAfter({ began: 12, ended: 13, transactions: 5 })).to.equal(9);
    expect(pace.restAfter({ began: 22, ended: 23, transactions: 0 })).to.equal(0);
  });
});
