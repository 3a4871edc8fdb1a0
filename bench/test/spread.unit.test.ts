import { expect } from "chai";
import { percentile, spreadOf } from "../src/spread.js";

describe("spread", () => {
  it("tells where an odd and an even number of figures lie", () => {
    expect(spreadOf([3, 1, 2])).to.deep.equal({ min: 1, median: 2, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).to.deep.equal({ min: 1, median: 2.5, max: 4 });
  });

  it("finds percentiles", () => {
    const values = Array.from({ length: 100 }, (_, i) => 99 - i);
    expect(percentile(values, 0.5)).to.equal(50);
    expect(percentile(values, 0.99)).to.equal(99);
    expect(percentile([7], 0.99)).to.equal(7);
  });
});
