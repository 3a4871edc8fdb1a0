import { expect } from "chai";
import { inRing } from "../../src/life/letter-upkeep.js";

describe("inRing", () => {
  const waiting = new Map([
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
    ["d", "a"],
    ["e", "gone"],
  ]);

  it("finds letters that wait for each other", () => {
    expect(["a", "b", "c"].map((id) => inRing(id, waiting))).deep.equal([true, true, true]);
  });

  it("leaves those alone that only wait for such", () => {
    expect(["d", "e", "nobody"].map((id) => inRing(id, waiting))).deep.equal([false, false, false]);
  });
});
