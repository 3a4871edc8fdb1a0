import { expect } from "chai";
import { defaultRelayLimits } from "../../../src/relay/limits.js";
import { Pace } from "../../../src/relay/log/pace.js";

describe("the pace of a relay", () => {
  /** Looks that follow each other at once, or after the rest; each takes `tookMs` and finds what came since, nothing while `stalled`. Gives the rests. */
  const restsAt = (
    perMs: number,
    { tookMs = 1, looks = 100, gapMs = 0, rows = 1, stalled = (_at: number): boolean => false } = {},
  ): number[] => {
    const pace = new Pace(10);
    const rests: number[] = [];
    for (let [at, seen] = [0, 0]; rests.length < looks;) {
      const came = stalled(at) ? seen : Math.floor(at * perMs);
      const transactions = came - seen;
      const rest = pace.restAfter({ began: at, ended: at + tookMs, transactions, rows: transactions * rows });
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

  it("rests where fewer transactions have many rows", () => {
    expect(restsAt(0.2, { rows: 100 }).at(-1)).to.equal(9);
    expect(restsAt(0.2, { rows: 10 }).at(-1)).to.equal(0);
  });

  it("finds out also where each look finds one only", () => {
    expect(restsAt(1).at(-1)).to.equal(9);
  });

  it("goes on resting while a busy source stops for a moment", () => {
    const rests = restsAt(1, { stalled: (at) => at % 100 > 85 });
    expect(new Set(rests.slice(50))).to.deep.equal(new Set([9]));
  });

  it("doesn't rest where they come more slowly, nor after a few at once", () => {
    expect(new Set(restsAt(0.2, { gapMs: 4 }))).to.deep.equal(new Set([0]));
    expect(new Set(restsAt(0.2))).to.deep.equal(new Set([0]));
    expect(new Pace(10).restAfter({ began: 0, ended: 1, transactions: 20, rows: 20 })).to.equal(0);
  });

  it("doesn't rest after a look that took longer", () => {
    expect(restsAt(5, { tookMs: 50 }).at(-1)).to.equal(0);
  });

  it("rests by default until they come as slowly as one in five milliseconds", () => {
    const { restMs } = defaultRelayLimits;
    /** Looks at the pace's own time, at a busy source first and at a quiet one then. */
    const restsThen = (perMs: number): number => {
      const pace = new Pace(restMs);
      let rest = 0;
      for (let look = 0, at = 0; look < 40; look++) {
        const gap = 1 + rest;
        const transactions = gap * (look < 20 ? 2 : perMs);
        at += gap;
        rest = pace.restAfter({ began: at - 1, ended: at, transactions, rows: transactions });
      }
      return rest;
    };
    expect(restsThen(2)).to.equal(restMs - 1);
    expect(restsThen(0.4)).to.equal(restMs - 1);
    expect(restsThen(0.2)).to.equal(0);
  });

  it("rests no more when they have become fewer", () => {
    const pace = new Pace(10);
    expect(pace.restAfter({ began: 0, ended: 1, transactions: 50, rows: 50 })).to.equal(9);
    expect(pace.restAfter({ began: 10, ended: 11, transactions: 5, rows: 5 })).to.equal(9);
    expect(pace.restAfter({ began: 90, ended: 91, transactions: 1, rows: 1 })).to.equal(0);
  });
});
