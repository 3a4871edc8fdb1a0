import { expect } from "chai";
import { differenceOf, look, looksNeeded, suspectsOf } from "../../src/verify/difference.js";

const state = (hash: string, version?: string) => ({ hash, ...(version !== undefined && { version }) });

describe("a suspect", () => {
  it("is a row that is on one side only, or is another one there", () => {
    const source = new Map([
      ["1", state("a")],
      ["2", state("b")],
      ["3", state("c")],
    ]);
    const target = new Map([
      ["1", state("a")],
      ["2", state("x")],
      ["4", state("d")],
    ]);
    expect(suspectsOf(source, target)).to.deep.equal(["2", "3", "4"]);
  });

  it("is equal when the target shows what the source had before or has now", () => {
    expect(look(state("a", "1"), state("a"), state("b", "2"))).to.equal("equal");
    expect(look(state("a", "1"), state("b"), state("b", "2"))).to.equal("equal");
    expect(look(undefined, undefined, state("b"))).to.equal("equal");
  });

  it("is moving when the source wrote to it meanwhile, even if it looks the same", () => {
    expect(look(state("a", "1"), state("x"), state("b", "2"))).to.equal("moving");
    expect(look(state("a", "1"), state("x"), state("a", "2"))).to.equal("moving");
    expect(look(undefined, state("x"), state("a"))).to.equal("moving");
  });

  it("differs after one look where the engine knows row versions, after several where it may have changed and changed back", () => {
    expect(look(state("a", "1"), state("x"), state("a", "1"))).to.equal("agreed");
    expect(looksNeeded(state("a", "1"))).to.equal(1);
    expect(looksNeeded(state("a"))).to.be.greaterThan(3);
    expect(looksNeeded(undefined)).to.be.greaterThan(3);
  });

  it("is missing, extra or differing, and none of these when the mapping fails on it", () => {
    expect(differenceOf(state("a"), undefined)).to.deep.equal({ kind: "missing" });
    expect(differenceOf(undefined, state("a"))).to.deep.equal({ kind: "extra" });
    expect(differenceOf({ ...state("a"), origin: ["7"] }, state("b"))).to.deep.equal({
      kind: "differing",
      origin: ["7"],
    });
    const failed = { ...state(""), failed: "where (map.ts:3)" };
    expect(look(failed, undefined, failed)).to.equal("agreed");
    expect(differenceOf(failed, state("b"))).to.deep.equal({ kind: "unmapped", failed: "where (map.ts:3)" });
  });
});
