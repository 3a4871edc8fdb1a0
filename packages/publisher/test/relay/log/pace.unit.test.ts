import { expect } from "chai";
import { restAfter } from "../../../src/relay/log/pace.js";

describe("the pace of a relay", () => {
  it("rests while transactions come faster than one in two milliseconds, until the rest is over since the look began", () => {
    expect(restAfter({ sinceMs: 3, tookMs: 2, transactions: 9 }, 10)).to.equal(8);
    expect(restAfter({ sinceMs: 10, tookMs: 4, transactions: 30 }, 10)).to.equal(6);
  });

  it("doesn't rest where they come more slowly, or just a few at once", () => {
    expect(restAfter({ sinceMs: 1_000, tookMs: 2, transactions: 9 }, 10)).to.equal(0);
    expect(restAfter({ sinceMs: 5, tookMs: 2, transactions: 1 }, 10)).to.equal(0);
    expect(restAfter({ sinceMs: 1, tookMs: 1, transactions: 3 }, 10)).to.equal(0);
  });

  it("doesn't rest after a look that took longer", () => {
    expect(restAfter({ sinceMs: 500, tookMs: 400, transactions: 5_000 }, 10)).to.equal(0);
  });
});
