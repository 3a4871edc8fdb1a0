import { expect } from "chai";
import { defaultChunkBounds, firstChunk, nextChunk, smallerChunk } from "../../src/full/chunk-size.js";

const bounds = { ...defaultChunkBounds, maxRows: 2_000, maxBytes: 4_000_000, ms: 100 };

describe("the size of a chunk", () => {
  it("begins by what rows are about as large as, and never with none", () => {
    expect(firstChunk(100, bounds)).to.equal(500);
    expect(firstChunk(4_000, bounds)).to.equal(100);
    expect(firstChunk(50_000_000, bounds)).to.equal(1);
    expect(firstChunk(undefined, bounds)).to.be.within(50, 200);
  });

  it("at most doubles, and stays below rows, bytes and time", () => {
    const quick = { rows: 100, bytes: 10_000, ms: 1 };
    expect(nextChunk(100, quick, bounds)).to.equal(200);
    expect(nextChunk(1_500, quick, bounds)).to.equal(2_000);
    expect(nextChunk(100, { ...quick, bytes: 4_000_000 }, bounds)).to.equal(100);
    expect(nextChunk(100, { rows: 100, bytes: 40_000_000, ms: 1 }, bounds)).to.equal(10);
    expect(nextChunk(100, { ...quick, ms: 400 }, bounds)).to.equal(25);
    expect(nextChunk(1, { rows: 1, bytes: 40_000_000, ms: 5_000 }, bounds)).to.equal(1);
    expect(nextChunk(100, { rows: 0, bytes: 0, ms: 0 }, bounds)).to.equal(200);
  });

  it("shrinks to one row when locks stand in the way", () => {
    expect([2_000, 500, 3, 1].map(smallerChunk)).to.deep.equal([500, 125, 1, 1]);
  });
});
