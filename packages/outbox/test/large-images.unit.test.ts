import { expect } from "chai";
import fc from "fast-check";
import { partsOf } from "../src/large-images.js";

describe("cutting a page by bytes", () => {
  const cut = (sizes: readonly number[]) => partsOf(sizes, (size) => size, 10);

  it("gives what is larger than a page as a page of its own", () => {
    expect(cut([1, 11, 1])).to.deep.equal([[1], [11], [1]]);
    expect(cut([5, 5, 0, 1])).to.deep.equal([[5, 5, 0], [1]]);
    expect(cut([])).to.deep.equal([]);
  });

  it("keeps all in order, and no part exceeds the bound by more than being one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15)), (sizes) => {
        const parts = cut(sizes);
        expect(parts.flat()).to.deep.equal(sizes);
        for (const part of parts)
          expect(part.length === 1 || part.reduce((a, b) => a + b, 0) <= 10).to.equal(true);
      }),
    );
  });
});
