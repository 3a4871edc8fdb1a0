import { expect } from "chai";
import { entriesToRead } from "../../src/intake/entries-to-read.js";

const limits = { maxBatchEvents: 2_000, maxBatchBytes: 8 * 1024 * 1024 };
const full = 256 * 1024;

/** Numbers asked for, one read after the other, when every read gives all it asked for, in entries like this one. */
const asked = (reads: number, events: number, bytes: number, first = 0): number[] => {
  const counts: number[] = [];
  for (let entries = first; counts.length < reads;) {
    entries = entriesToRead(limits, { entries, events: entries * events, bytes: entries * bytes });
    counts.push(entries);
  }
  return counts;
};

describe("how many entries an intake asks for", () => {
  it("grows step by step while small entries follow each other, and never so far that full ones would be too much", () => {
    expect(asked(7, 1, 100)).to.deep.equal([4, 8, 16, 32, 64, 64, 64]);
    expect(64 * full).to.be.at.most(16 * 1024 * 1024);
  });

  it("falls at once to half a batch when large ones come", () => {
    expect(asked(2, 250, full, 64)).to.deep.equal([4, 4]);
    expect(asked(2, 1, full, 64)).to.deep.equal([16, 16]);
    expect(asked(1, 1, 100_000_000, 64)).to.deep.equal([4]);
  });

  it("begins anew after a read that gave few or nothing: a burst may follow", () => {
    expect(entriesToRead(limits, { entries: 0, events: 0, bytes: 0 })).to.equal(4);
    expect(entriesToRead(limits, { entries: 3, events: 3, bytes: 300 })).to.equal(6);
  });
});
